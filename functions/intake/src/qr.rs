//! Draws a link as a QR code.

use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};

/// The light border that readers need, in modules (ISO/IEC 18004).
const BORDER: usize = 4;

/// Draws a text as an SVG for the markup of a page; `None` for a text that is too long.
///
/// It is dark on white in every theme, since many readers take nothing else.
pub(crate) fn svg(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let size = code.width().saturating_add(2 * BORDER);
    let mut path = String::new();
    for (row, line) in code.to_colors().chunks(code.width()).enumerate() {
        let mut column = 0_usize;
        for run in line.chunk_by(|one, other| one == other) {
            if run.first() == Some(&Color::Dark) {
                let (x, y) = (column.saturating_add(BORDER), row.saturating_add(BORDER));
                let length = run.len();
                path.push_str(&format!("M{x} {y}h{length}v1h-{length}z"));
            }
            column = column.saturating_add(run.len());
        }
    }
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" role=\"img\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{size}v{size}h-{size}z\"/><path d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The finder pattern stands in three corners, within the border.
    #[test]
    fn qr_code_has_its_border_and_finder_patterns() {
        let link = format!("https://pay.example.com/c/{}", "a".repeat(22));
        let drawn = svg(&link).unwrap();
        let size = QrCode::with_error_correction_level(&link, EcLevel::M).unwrap().width() + 8;
        assert!(drawn.contains(&format!("viewBox=\"0 0 {size} {size}\"")), "{drawn}");
        for corner in [(4, 4), (size - 11, 4), (4, size - 11)] {
            let (x, y) = corner;
            assert!(drawn.contains(&format!("M{x} {y}h7v1h-7z")), "{corner:?} {drawn}");
        }
        assert!(!drawn.contains("M0 ") || drawn.matches("M0 ").count() == 1, "{drawn}");
        assert!(svg(&"a".repeat(10_000)).is_none());
    }
}
