//! The consent page: a `GET` shows where the request stands, a `POST` of the page's form replies.
//!
//! The page calls `approvals` and no other folder. A `GET` never approves anything. `handlers` calls the other files.

mod form;
mod handlers;
mod hosted_page;
mod html;
mod link;
mod payment_options;
mod returned;
mod unsubscribe;
mod view;
mod wallets;

use std::sync::Arc;

use ports::{Ports, Processors};

use crate::approvals::Approvals;

pub(crate) use handlers::unknown;
pub(crate) use link::{accepts, empty, see_other};
pub(crate) use returned::{
    Reader, ask_code, other_browser, return_ended, return_failed, wrong_code,
};

/// The consent page.
#[derive(Clone)]
pub struct ConsentPage {
    ports: Ports,
    processors: Arc<dyn Processors>,
    approvals: Approvals,
    public_base: String,
}

impl ConsentPage {
    pub(crate) const fn new(
        ports: Ports,
        processors: Arc<dyn Processors>,
        approvals: Approvals,
        public_base: String,
    ) -> Self {
        Self { ports, processors, approvals, public_base }
    }
}
