//! Checks that an SVG holds plain shapes alone. Everything that is not on the list is refused.

/// The elements of plain shapes.
const ELEMENTS: [&str; 9] =
    ["svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon"];
/// The attributes of plain shapes. Their values have no letters that could name an address or a script.
const ATTRIBUTES: [&str; 35] = [
    "viewBox",
    "width",
    "height",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "r",
    "rx",
    "ry",
    "cx",
    "cy",
    "d",
    "points",
    "pathLength",
    "transform",
    "fill",
    "fill-rule",
    "fill-opacity",
    "clip-rule",
    "stroke",
    "stroke-width",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-miterlimit",
    "stroke-dasharray",
    "stroke-dashoffset",
    "stroke-opacity",
    "opacity",
    "color",
    "version",
    "preserveAspectRatio",
    "vector-effect",
];
const NAMESPACE: &str = "http://www.w3.org/2000/svg";
/// The prologs that drawing programs write.
const PROLOGS: [&str; 3] = [
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
    "<?xml version=\"1.0\"?>",
];
const DEPTH_MAX: usize = 16;
const ELEMENTS_MAX: usize = 500;

/// Returns whether the bytes are one `svg` element of plain shapes.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let prolog = PROLOGS.iter().find_map(|prolog| text.strip_prefix(prolog));
    read(prolog.unwrap_or(text).trim_ascii()).is_some()
}

/// Reads the whole text; `None` at the first thing that is not on the list.
fn read(mut rest: &str) -> Option<()> {
    let mut open: Vec<&str> = Vec::new();
    let mut count = 0_usize;
    loop {
        rest = rest.trim_ascii_start().strip_prefix('<')?;
        let (tag, after) = rest.split_once('>')?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop()? != name.trim_ascii_end() {
                return None;
            }
        } else {
            count = count.checked_add(1).filter(|count| *count <= ELEMENTS_MAX)?;
            let (tag, is_empty) = match tag.strip_suffix('/') {
                Some(tag) => (tag, true),
                None => (tag, false),
            };
            let name_end = tag.find(|letter: char| letter.is_ascii_whitespace());
            let (name, attributes) = tag.split_at_checked(name_end.unwrap_or(tag.len()))?;
            // The root is the one `svg`.
            if !ELEMENTS.contains(&name) || (name == "svg") != open.is_empty() {
                return None;
            }
            read_attributes(name, attributes)?;
            if !is_empty {
                open.push(name);
            }
        }
        if open.len() > DEPTH_MAX {
            return None;
        }
        if open.is_empty() {
            return rest.is_empty().then_some(());
        }
    }
}

/// Reads the attributes of a tag. The root names its space and its box.
fn read_attributes(element: &str, mut rest: &str) -> Option<()> {
    let mut names: Vec<&str> = Vec::new();
    loop {
        let trimmed = rest.trim_ascii_start();
        if trimmed.is_empty() {
            break;
        }
        // An attribute is set off from what stands before it.
        if trimmed.len() == rest.len() {
            return None;
        }
        let (name, after) = trimmed.split_once('=')?;
        let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let (value, after) = after.get(1..)?.split_once(quote)?;
        let is_known = match name {
            "xmlns" => element == "svg" && value == NAMESPACE,
            _ => ATTRIBUTES.contains(&name) && is_plain_value(value),
        };
        if !is_known || names.contains(&name) {
            return None;
        }
        names.push(name);
        rest = after;
    }
    let is_root = element == "svg";
    (!is_root || (names.contains(&"xmlns") && names.contains(&"viewBox"))).then_some(())
}

/// Returns whether a value is of numbers, colours and simple words.
fn is_plain_value(value: &str) -> bool {
    let is_plain = |letter: char| {
        letter.is_ascii_alphanumeric()
            || letter.is_ascii_whitespace()
            || matches!(letter, '.' | ',' | '#' | '(' | ')' | '+' | '-' | '%')
    };
    // `url(…)` leads out of the picture, or to a part that another element defines.
    value.chars().all(is_plain) && !value.to_ascii_lowercase().contains("url")
}
