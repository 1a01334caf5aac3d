// What a page can have a browser send; each is over once the browser is done with it.

// Fetches as a script does, and returns what it may read of the answer; nothing where the browser keeps it back.
export function send(page, url, options = {}) {
  const run = async ([url, options]) => {
    const answer = await fetch(url, options).catch(() => undefined);
    return answer && { status: answer.status, text: await answer.text() };
  };
  return page.evaluate(run, [url, options]);
}

// `fetch` as the scripts of a page have it.
export function fetchOf(page) {
  return async (url, options) => {
    const answer = await send(page, url, options);
    if (!answer) throw new Error(`${page.url()} may not fetch ${url}`);
    return new Response(answer.text, { status: answer.status });
  };
}

// Shows an address in a frame that nobody sees, and returns what became of it.
export async function frame(page, url) {
  const run = (url) => {
    const frame = document.createElement("iframe");
    frame.hidden = true;
    frame.src = url;
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve, { once: true }));
    document.body.append(frame);
    return loaded.then(() => undefined);
  };
  await page.evaluate(run, url);
  return page.frames().at(-1);
}

// Asks for an address as for a picture.
export function picture(page, url) {
  const run = (url) =>
    new Promise((resolve) => {
      const picture = new Image();
      picture.onload = picture.onerror = () => resolve();
      picture.src = url;
    });
  return page.evaluate(run, url);
}

// Sends the browser to an address as a link does.
export async function follow(page, url) {
  const run = ([url]) => {
    const link = document.createElement("a");
    link.href = url;
    link.textContent = "A prize";
    document.body.append(link);
  };
  await page.evaluate(run, [url]);
  await page.click("text=A prize");
}

// Sends a form by itself, in place of the page, and returns the answer.
export async function post(page, url, fields, referrerPolicy) {
  const answered = page.waitForResponse((response) => response.request().method() === "POST" && response.url() === url);
  const run = ([url, fields, referrerPolicy]) => {
    if (referrerPolicy) {
      const policy = document.createElement("meta");
      Object.assign(policy, { name: "referrer", content: referrerPolicy });
      document.head.append(policy);
    }
    const form = Object.assign(document.createElement("form"), { method: "post", action: url });
    for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    document.body.append(form);
    form.submit();
  };
  await page.evaluate(run, [url, fields, referrerPolicy]);
  await page.waitForURL(url);
  return answered;
}
