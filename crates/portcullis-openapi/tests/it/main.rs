//! Documents through the public API: each in `tests/documents/` has its golden toolset beside it, and hostile ones are met with messages.

#[cfg(test)]
mod codes;
#[cfg(test)]
mod exhausting;
#[cfg(test)]
mod files;
#[cfg(test)]
mod fuzzed;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod keywords;
#[cfg(test)]
mod mutated;
#[cfg(test)]
mod names;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod shown;
#[cfg(test)]
mod swagger;
