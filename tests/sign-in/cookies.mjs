// The cookies of a browser (RFC 6265): by host and path, whatever the port, and by `SameSite` where a request comes from elsewhere.

export class CookieJar {
  #cookies = new Map();

  // Keeps what an answer sets.
  keep(url, lines) {
    for (const line of lines) {
      const [pair, ...rest] = line.split(";").map((part) => part.trim());
      const [name, value] = split(pair);
      const attributes = Object.fromEntries(rest.map(split).map(([key, text]) => [key.toLowerCase(), text]));
      const isSecure = "secure" in attributes;
      const path = attributes.path?.startsWith("/") ? attributes.path : url.pathname.replace(/\/[^/]*$/, "") || "/";
      const isHosts = isSecure && attributes.path === "/" && !("domain" in attributes);
      if (isSecure && url.protocol !== "https:") continue;
      if (name.startsWith("__Host-") && !isHosts) continue;
      const key = [url.hostname, path, name].join(" ");
      const isOver = Number(attributes["max-age"] ?? 1) <= 0 || Date.parse(attributes.expires) <= Date.now();
      if (isOver) this.#cookies.delete(key);
      else this.#cookies.set(key, { host: url.hostname, path, name, value, isSecure, sameSite: attributes.samesite?.toLowerCase() ?? "lax" });
    }
  }

  // What is sent along to a URL.
  header(url, { method, isForeign }) {
    const isSent = ({ host, path, isSecure, sameSite }) => {
      if (host !== url.hostname || (isSecure && url.protocol !== "https:")) return false;
      if (!(url.pathname === path || url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`))) return false;
      return !isForeign || sameSite === "none" || (sameSite === "lax" && method === "GET");
    };
    const sent = [...this.#cookies.values()].filter(isSent);
    return sent.map(({ name, value }) => `${name}=${value}`).join("; ");
  }
}

function split(text) {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
