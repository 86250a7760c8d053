//! What needs more than one crate, in one binary.

#[cfg(test)]
mod flows;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod stripe;
