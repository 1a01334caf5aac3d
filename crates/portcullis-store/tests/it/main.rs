//! The store, through its public functions: one suite on both engines, then what belongs to one of them.

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod people;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod upgrade;
