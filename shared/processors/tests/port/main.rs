//! The `Processor` port over every listed kind, through the registry.

#[cfg(test)]
mod adyen;
#[cfg(test)]
mod contract_tests;
#[cfg(test)]
mod doubles;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod wallets;
