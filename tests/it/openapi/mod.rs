//! The description of the API is true: its routes, limits, codes and events are the program's, and its examples happen.

mod agreement;
mod credentials;
mod desk;
mod examples;
mod problems;
mod served;
