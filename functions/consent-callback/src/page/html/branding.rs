//! The brand's own logo, colour and links on the page.

use domain::brand::Brand;
use domain::branding::{AccentColours, Link};
use domain::values::time_zone::TimeZone;

use crate::page::link;

/// The brand on the page, with the address of its logo and its style sheet written out.
#[derive(Default)]
pub(in crate::page) struct PageBranding {
    /// The address of the logo; `None` for a brand without one.
    logo: Option<String>,
    /// The style sheet of the accent colour.
    style: Option<String>,
}

impl PageBranding {
    /// Makes the branding of a link's page.
    pub(in crate::page) fn new(brand: &Brand, action: &str) -> Self {
        let logo = brand.branding.logo.as_ref();
        let logo = logo.map(|logo| format!("{action}?{}{}", link::LOGO, logo.digest()));
        Self { logo, style: brand.branding.accent.map(AccentColours::style_sheet) }
    }

    /// Returns what the page's policy has to allow.
    pub(in crate::page) fn parts(&self) -> BrandParts<'_> {
        BrandParts { style: self.style.as_deref(), has_logo: self.logo.is_some() }
    }

    /// Returns the parts that the templates show.
    pub(in crate::page) fn view<'a>(&'a self, brand: &'a Brand) -> BrandView<'a> {
        let branding = &brand.branding;
        BrandView {
            logo: self.logo.as_deref(),
            style: self.style.as_deref(),
            support_phone: branding.support_phone.as_ref().map(|phone| phone.as_str()),
            support: branding.support_url.as_ref().map(LinkView::new),
            terms: branding.terms_url.as_ref().map(|link| link.as_str()),
            privacy: branding.privacy_url.as_ref().map(|link| link.as_str()),
            statement: branding.statement_descriptor.as_ref().map(|name| name.as_str()),
            time_zone: brand.time_zone.as_ref(),
        }
    }
}

/// The parts of a page's branding that the page's policy names.
#[derive(Clone, Copy, Default)]
pub(in crate::page) struct BrandParts<'a> {
    /// The style sheet of the accent colour.
    pub(in crate::page) style: Option<&'a str>,
    /// Whether the page shows a logo.
    pub(in crate::page) has_logo: bool,
}

/// The page's branding, as the templates show them.
#[derive(Clone, Copy)]
pub(in crate::page) struct BrandView<'a> {
    pub logo: Option<&'a str>,
    pub style: Option<&'a str>,
    pub support_phone: Option<&'a str>,
    pub support: Option<LinkView<'a>>,
    pub terms: Option<&'a str>,
    pub privacy: Option<&'a str>,
    pub statement: Option<&'a str>,
    pub time_zone: Option<&'a TimeZone>,
}

impl BrandView<'_> {
    /// The branding of a brand that has none of its own.
    pub(in crate::page) const PLAIN: Self = Self {
        logo: None,
        style: None,
        support_phone: None,
        support: None,
        terms: None,
        privacy: None,
        statement: None,
        time_zone: None,
    };

    /// Returns whether the page ends with the brand's links.
    pub(super) const fn has_links(&self) -> bool {
        self.has_support() || self.terms.is_some() || self.privacy.is_some()
    }

    pub(super) const fn has_support(&self) -> bool {
        self.support_phone.is_some() || self.support.is_some()
    }
}

/// A link that is shown by its host.
#[derive(Clone, Copy)]
pub(in crate::page) struct LinkView<'a> {
    pub url: &'a str,
    pub host: &'a str,
}

impl<'a> LinkView<'a> {
    fn new(link: &'a Link) -> Self {
        Self { url: link.as_str(), host: link.host() }
    }
}
