//! Tests of the branding's rules. `unwrap` and `expect` are fine here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// The inside of a sound SVG.
const SHAPES: &str = "<path d=\"M4 4h8v8z\" fill=\"#0b6b41\"/><g opacity='.5'><circle cx=\"8\" cy=\"8\" r=\"3\"></circle></g>";

fn drawn(inside: &str) -> String {
    format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\">{inside}</svg>")
}

fn svg(text: &str) -> Result<Logo, InvalidLogo> {
    Logo::parse(&format!("data:image/svg+xml;base64,{}", STANDARD.encode(text)))
}

/// Writes a PNG of these chunks between header and end.
fn png(side: u32, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let sides = [side.to_be_bytes(), 32_u32.to_be_bytes()].concat();
    let header = [&sides[..], &[8, 6, 0, 0, 0]].concat();
    let first: (&[u8; 4], &[u8]) = (b"IHDR", &header);
    for (kind, data) in [&[first], chunks, &[(b"IEND", &[])]].concat() {
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend(kind);
        bytes.extend(data);
        bytes.extend([0; 4]);
    }
    bytes
}

fn raster(bytes: &[u8]) -> Result<Logo, InvalidLogo> {
    Logo::parse(&format!("data:image/png;base64,{}", STANDARD.encode(bytes)))
}

#[test]
fn svg_of_plain_shapes_is_taken() {
    for text in [
        drawn(SHAPES),
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", drawn(SHAPES)),
        drawn(""),
        drawn(
            "<g transform=\"translate(1,2) rotate(45)\"><polygon points=\"0,0 1,1 2,0\" stroke=\"none\"/></g>",
        ),
    ] {
        let logo = svg(&text).unwrap();
        assert_eq!((logo.format(), logo.bytes()), (LogoFormat::Svg, text.as_bytes()));
    }
}

/// Everything else that an SVG could smuggle, and texts that are not quite one.
#[test]
fn svg_with_anything_else_is_refused() {
    let outside = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 9 9\"";
    for inside in [
        "<script>alert(1)</script>",
        "<SCRIPT>alert(1)</SCRIPT>",
        "<style>*{}</style>",
        "<foreignObject/>",
        "<image href=\"https://evil.example/x.png\"/>",
        "<use href=\"#a\"/>",
        "<a href=\"https://evil.example\"><path d=\"M0 0\"/></a>",
        "<animate attributeName=\"href\"/>",
        "<set attributeName=\"onload\"/>",
        "<text>Verified</text>",
        "words",
        "<!-- a -->",
        "<![CDATA[x]]>",
        "<?php 1 ?>",
        "<path d=\"M0 0\" onload=\"alert(1)\"/>",
        "<path d=\"M0 0\" style=\"fill:red\"/>",
        "<path d=\"M0 0\" class=\"a\"/>",
        "<path d=\"M0 0\" href=\"#a\"/>",
        "<path d=\"M0 0\" xlink:href=\"#a\"/>",
        "<path d=\"M0 0\" fill=\"url(#a)\"/>",
        "<path d=\"M0 0\" fill=\"URL(https)\"/>",
        "<path d=\"M0 0\" fill=\"java&#115;cript\"/>",
        "<path d=\"M0 0\" fill=\"a:b\"/>",
        "<path d=\"M0 0\" d=\"M1 1\"/>",
        "<path d=\"M0 0\"fill=\"red\"/>",
        "<path d=M0/>",
        "<path d/>",
        "<path d=\"M0 0>",
        "<g>",
        "</g>",
        "<g></path>",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"/>",
        "<g xmlns=\"http://www.w3.org/1999/xhtml\"/>",
        "<s:path/>",
        "< path/>",
        "<g/ >",
        "\u{a0}",
    ] {
        assert_eq!(svg(&drawn(inside)), Err(InvalidLogo::Svg), "{inside}");
    }
    for text in [
        String::new(),
        "<svg/>".to_owned(),
        format!("{outside}>"),
        format!("{outside}/><script/>"),
        format!("{outside}/>trailing"),
        format!("<!DOCTYPE svg>{outside}/>"),
        format!("<?xml-stylesheet href=\"x\"?>{outside}/>"),
        format!("\u{feff}{outside}/>"),
        "<svg viewBox=\"0 0 9 9\"/>".to_owned(),
        "<svg xmlns=\"http://www.w3.org/1999/xhtml\" viewBox=\"0 0 9 9\"/>".to_owned(),
        drawn(&"<g>".repeat(40)),
        drawn(&"<g/>".repeat(600)),
    ] {
        assert_eq!(svg(&text), Err(InvalidLogo::Svg), "{text}");
    }
    let latin = [drawn("").as_bytes(), b"\xff"].concat();
    let url = format!("data:image/svg+xml;base64,{}", STANDARD.encode(latin));
    assert_eq!(Logo::parse(&url), Err(InvalidLogo::Svg));
}

#[test]
fn png_of_pixels_is_taken_and_one_with_more_is_refused() {
    let pixels: (&[u8; 4], &[u8]) = (b"IDAT", &[1, 2, 3]);
    let sound = png(32, &[(b"sRGB", &[0]), pixels, pixels]);
    assert_eq!(raster(&sound).unwrap().format(), LogoFormat::Png);
    for bytes in [
        png(8, &[pixels]),
        png(4096, &[pixels]),
        png(32, &[]),
        png(32, &[(b"tEXt", b"Comment\0<script>"), pixels]),
        png(32, &[(b"eXIf", &[0]), pixels]),
        png(32, &[(b"acTL", &[0; 8]), pixels]),
        png(32, &[(b"iCCP", &[0]), pixels]),
        png(32, &[(b"IHDR", &[0; 13]), pixels]),
        [&sound[..], b"<html>"].concat(),
        sound[..sound.len() - 3].to_vec(),
        b"GIF89a".to_vec(),
        Vec::new(),
    ] {
        assert_eq!(raster(&bytes), Err(InvalidLogo::Png));
    }
}

#[test]
fn logo_has_a_form_and_a_size() {
    for text in [
        "",
        "https://acme.example/logo.png",
        "data:image/gif;base64,AA==",
        "data:image/png;base64,?",
    ] {
        assert_eq!(Logo::parse(text), Err(InvalidLogo::Form), "{text}");
    }
    let large = drawn(&format!("<path d=\"{}\"/>", "M0 0".repeat(4_000)));
    assert_eq!(svg(&large), Err(InvalidLogo::Size));
    let (one, other) = (svg(&drawn(SHAPES)).unwrap(), svg(&drawn("")).unwrap());
    assert_ne!(one.digest(), other.digest());
    assert!(one.digest().len() == 12 && !format!("{one:?}").contains("path"));
}

#[test]
fn links_and_descriptor_are_checked() {
    let read = |field: &str, value: &str| {
        let settings = serde_json::json!({ field: value }).to_string();
        serde_json::from_str::<Branding>(&settings).map_err(|error| error.to_string())
    };
    for field in ["support_url", "terms_url", "privacy_url"] {
        assert!(read(field, "https://acme.example/x").is_ok());
        for wrong in ["http://acme.example", "javascript:alert(1)", "https://u:p@acme.example", ""]
        {
            assert!(read(field, wrong).unwrap_err().contains("a link is https"), "{wrong}");
        }
    }
    assert!(read("support_phone", "+4930123456").is_ok());
    assert!(read("support_phone", "030 123456").unwrap_err().contains("E.164"));
    assert!(read("statement_descriptor", "ACME ENERGY").is_ok());
    for wrong in ["ACME", "12345", "ACME*PAY", "ACMÉ ENERGY", "A NAME WITH TOO MANY LETTERS"] {
        let refused = read("statement_descriptor", wrong).unwrap_err();
        assert!(refused.contains("5 to 22 ASCII characters"), "{wrong}: {refused}");
    }
    assert!(read("logo_url", "x").unwrap_err().contains("unknown field"));
}
