//! Splits a source file into its prose: comments by paragraph, string literals, and names of functions.

/// The place of a piece of prose in a source file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::architecture) enum Kind {
    /// A comment, or a paragraph of a document.
    Comment,
    /// The first paragraph of a doc comment.
    Summary,
    /// A string literal, or a line of a file that has no comments of ours.
    Text,
    /// A function's name.
    Name,
}

/// A paragraph, a literal or a name, as words with the number of the line that each stands on.
#[derive(Clone, Debug)]
pub(in crate::architecture) struct Prose {
    pub(in crate::architecture) kind: Kind,
    pub(in crate::architecture) words: Vec<(usize, String)>,
}

impl Prose {
    fn new(kind: Kind) -> Self {
        Self { kind, words: Vec::new() }
    }

    fn push(&mut self, line: usize, text: &str) {
        self.words.extend(text.split_whitespace().map(|word| (line, word.to_owned())));
    }

    /// The line on which the piece begins.
    pub(in crate::architecture) fn line(&self) -> usize {
        self.words.first().map_or(0, |(line, _)| *line)
    }
}

/// A line comment: its marker (`//`, `///` or `//!`), its text, and whether code stands before it.
struct Comment {
    line: usize,
    marker: &'static str,
    text: String,
    follows_code: bool,
}

/// The comments, the string literals and the code of a Rust file.
#[derive(Default)]
struct SourceSplitter {
    comments: Vec<Comment>,
    strings: Vec<(usize, String)>,
    code: String,
}

/// The length of a character literal or a raw string's opening, where `text` begins with one.
fn char_literal(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    let (_, first) = characters.next()?;
    if first == '\\' {
        return text[2..].char_indices().skip(1).find(|(_, c)| *c == '\'').map(|(at, _)| at + 3);
    }
    characters.next().filter(|(_, c)| *c == '\'').map(|(at, _)| at + 1)
}

/// The opening and the closing of a raw string, where `text` begins with one.
fn raw_string(text: &str) -> Option<(usize, String)> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let opened = after[hashes..].starts_with('"');
    let opening = text.len() - after.len() + hashes + 1;
    opened.then(|| (opening, format!("\"{}", "#".repeat(hashes))))
}

/// The length of a string literal without its opening quote, closing quote included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

fn split(source: &str) -> SourceSplitter {
    let (mut parts, mut at, mut line) = (SourceSplitter::default(), 0, 1);
    let mut line_has_code = false;
    while let Some(character) = source[at..].chars().next() {
        let rest = &source[at..];
        let in_word = parts.code.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let raw = raw_string(rest).filter(|_| !in_word);
        let length = if rest.starts_with("//") {
            let length = rest.find('\n').unwrap_or(rest.len());
            let marker = ["//!", "///", "//"].into_iter().find(|m| rest.starts_with(m)).unwrap();
            let text = rest[marker.len()..length].to_owned();
            parts.comments.push(Comment { line, marker, text, follows_code: line_has_code });
            length
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some((opening, closing)) = raw {
            let inside = rest[opening..].find(&closing).unwrap_or(rest.len() - opening);
            parts.strings.push((line, rest[opening..opening + inside].to_owned()));
            (opening + inside + closing.len()).min(rest.len())
        } else if character == '"' {
            let length = string_length(&rest[1..]);
            parts.strings.push((line, rest[1..length].to_owned()));
            length + 1
        } else if let Some(length) = (character == '\'').then(|| char_literal(rest)).flatten() {
            length
        } else {
            parts.code.push(character);
            character.len_utf8()
        };
        line_has_code |= !character.is_whitespace();
        let newlines = rest[..length].matches('\n').count();
        if newlines > 0 && character != '\n' {
            parts.code.extend(std::iter::repeat_n('\n', newlines));
        }
        line_has_code &= newlines == 0;
        line += newlines;
        at += length;
    }
    parts
}

/// Gathers lines of comments or of a document into paragraphs.
#[derive(Default)]
struct Paragraphs {
    done: Vec<Prose>,
    open: Option<Prose>,
    in_example: bool,
}

impl Paragraphs {
    fn close(&mut self) {
        self.done.extend(self.open.take().filter(|open| !open.words.is_empty()));
    }

    fn add(&mut self, line: usize, kind: Kind, text: &str) {
        let text = text.trim();
        if text.starts_with("```") {
            self.close();
            self.in_example = !self.in_example;
            return;
        }
        if self.in_example {
            return;
        }
        let item = text.split_once(' ').is_some_and(|(mark, _)| {
            ["-", "*", "+"].contains(&mark)
                || mark.strip_suffix('.').is_some_and(|n| n.parse::<u8>().is_ok())
        });
        if text.is_empty() || item || text.starts_with(['|', '#']) {
            self.close();
        }
        if text.is_empty() || text.starts_with('#') || text.starts_with("|--") {
            return;
        }
        self.open.get_or_insert_with(|| Prose::new(kind)).push(line, text);
        if text.starts_with('|') {
            // The cells of a row are no sentence, but their words count.
            self.open.as_mut().unwrap().kind = Kind::Text;
            self.close();
        }
    }
}

fn function_names(code: &str) -> Vec<Prose> {
    let mut names = Vec::new();
    for (number, line) in (1..).zip(code.lines()) {
        for after in line.split("fn ").skip(1) {
            let is_part = |c: &char| c.is_alphanumeric() || *c == '_';
            let name: String = after.chars().take_while(is_part).collect();
            if !name.is_empty() {
                names.push(Prose { kind: Kind::Name, words: vec![(number, name)] });
            }
        }
    }
    names
}

/// The prose of a Rust file.
pub(in crate::architecture) fn of_rust(source: &str) -> Vec<Prose> {
    let parts = split(source);
    let mut paragraphs = Paragraphs::default();
    let mut before: Option<&Comment> = None;
    let lines: Vec<&str> = source.lines().collect();
    // An included file stands in the middle of a comment.
    let adjoin = |before: usize, line: usize| {
        (before..line.saturating_sub(1))
            .all(|between| lines[between].trim_start().starts_with("#[doc ="))
    };
    for comment in &parts.comments {
        let goes_on = before.is_some_and(|before| {
            before.marker == comment.marker
                && before.line < comment.line
                && adjoin(before.line, comment.line)
                && !comment.follows_code
                && !before.follows_code
        });
        if !goes_on {
            paragraphs.close();
            paragraphs.in_example = false;
        }
        let is_summary = comment.marker != "//" && !goes_on;
        let kind = if is_summary { Kind::Summary } else { Kind::Comment };
        paragraphs.add(comment.line, kind, &comment.text);
        before = Some(comment);
    }
    paragraphs.close();
    let mut prose = paragraphs.done;
    for (line, text) in &parts.strings {
        let mut piece = Prose::new(Kind::Text);
        for (number, part) in (*line..).zip(text.lines()) {
            piece.push(number, part);
        }
        prose.push(piece);
    }
    prose.extend(function_names(&parts.code));
    prose
}

/// The prose of a document.
pub(in crate::architecture) fn of_markdown(source: &str) -> Vec<Prose> {
    let mut paragraphs = Paragraphs::default();
    for (number, line) in (1..).zip(source.lines()) {
        paragraphs.add(number, Kind::Comment, line);
        // A heading has no sentences, but its words count.
        if line.starts_with('#') && !paragraphs.in_example {
            let mut heading = Prose::new(Kind::Text);
            heading.push(number, line);
            paragraphs.done.push(heading);
        }
    }
    paragraphs.close();
    paragraphs.done
}

/// The prose of any other source: lines that begin with `marker` are comments, and all other lines are text.
pub(in crate::architecture) fn of_lines(source: &str, marker: &str) -> Vec<Prose> {
    let mut paragraphs = Paragraphs::default();
    for (number, line) in (1..).zip(source.lines()) {
        if let Some(comment) = line.trim_start().strip_prefix(marker) {
            paragraphs.add(number, Kind::Comment, comment);
        } else {
            paragraphs.close();
            let mut text = Prose::new(Kind::Text);
            text.push(number, line);
            paragraphs.done.push(text);
        }
    }
    paragraphs.close();
    paragraphs.done
}
