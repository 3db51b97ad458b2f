//! A small part of Markdown as elements: headings, lists, code, links. Never HTML of the author's.

use maud::{Markup, html};

/// Longest README drawn. A page of text is enough to choose a template by.
const MAX_BYTES: usize = 64 << 10;

/// Draws `text`; `top` is the level of its first headings, below the page's own.
#[must_use]
pub fn draw(text: &str) -> Markup {
    let end = text.floor_char_boundary(MAX_BYTES);
    let blocks = blocks(without_front_matter(text.get(..end).unwrap_or_default()));
    html! { @for block in &blocks { (block_markup(block)) } }
}

#[derive(Debug, PartialEq, Eq)]
enum Block {
    Heading(usize, String),
    Paragraph(String),
    List(bool, Vec<String>),
    Code(String),
    Table(Vec<Vec<String>>),
    Rule,
}

/// YAML between `---` lines at the start is for registries, not for readers.
fn without_front_matter(text: &str) -> &str {
    text.strip_prefix("---\n")
        .and_then(|rest| rest.split_once("\n---\n"))
        .map_or(text, |(_, body)| body)
}

fn blocks(text: &str) -> Vec<Block> {
    let mut out: Vec<Block> = Vec::new();
    let mut fence: Option<(String, String)> = None;
    let mut comment = false;
    for line in text.lines() {
        if let Some((mark, code)) = fence.as_mut() {
            if line.trim_start().starts_with(mark.as_str()) {
                out.push(Block::Code(std::mem::take(code)));
                fence = None;
            } else {
                code.push_str(line);
                code.push('\n');
            }
            continue;
        }
        let trimmed = line.trim();
        if comment || trimmed.starts_with("<!--") {
            comment = !trimmed.contains("-->");
        } else if let Some(mark) = ["```", "~~~"].into_iter().find(|m| trimmed.starts_with(m)) {
            fence = Some((mark.to_owned(), String::new()));
        } else {
            add_line(&mut out, line, trimmed);
        }
    }
    if let Some((_, code)) = fence {
        out.push(Block::Code(code));
    }
    out.retain(|b| *b != Block::Paragraph(String::new()));
    out
}

fn add_line(out: &mut Vec<Block>, line: &str, trimmed: &str) {
    let hashes = trimmed.bytes().take_while(|b| *b == b'#').count();
    if trimmed.is_empty() {
        out.push(Block::Paragraph(String::new()));
    } else if let Some(title) =
        trimmed.get(hashes..).filter(|t| (1..=6).contains(&hashes) && t.starts_with(' '))
    {
        out.push(Block::Heading(hashes, title.trim().to_owned()));
    } else if trimmed.len() >= 3 && trimmed.bytes().all(|b| b == b'-') {
        out.push(Block::Rule);
    } else if trimmed.len() > 1 && trimmed.starts_with('|') {
        add_table_row(out, trimmed);
    } else if let Some((ordered, text)) = list_item(trimmed) {
        match out.last_mut() {
            Some(Block::List(same, items)) if *same == ordered => items.push(text.to_owned()),
            _ => out.push(Block::List(ordered, vec![text.to_owned()])),
        }
    } else {
        continue_text(out, line, trimmed);
    }
}

fn continue_text(out: &mut Vec<Block>, line: &str, trimmed: &str) {
    match out.last_mut() {
        Some(Block::List(_, items)) if line.starts_with("  ") => {
            if let Some(item) = items.last_mut() {
                item.push(' ');
                item.push_str(trimmed);
            }
        }
        Some(Block::Paragraph(text)) if !text.is_empty() => {
            text.push(' ');
            text.push_str(trimmed);
        }
        _ => out.push(Block::Paragraph(trimmed.to_owned())),
    }
}

fn add_table_row(out: &mut Vec<Block>, line: &str) {
    let cells: Vec<String> =
        line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect();
    if cells.iter().all(|c| !c.is_empty() && c.bytes().all(|b| matches!(b, b'-' | b':'))) {
        return;
    }
    match out.last_mut() {
        Some(Block::Table(rows)) => rows.push(cells),
        _ => out.push(Block::Table(vec![cells])),
    }
}

fn list_item(line: &str) -> Option<(bool, &str)> {
    let bullet = ["- ", "* ", "+ "].iter().find_map(|mark| line.strip_prefix(mark));
    if let Some(text) = bullet {
        return Some((false, text.trim()));
    }
    let (number, text) = line.split_once(". ")?;
    let digits =
        !number.is_empty() && number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| (true, text.trim()))
}

fn block_markup(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Heading(1 | 2, text) => h3 { (inline(text)) },
            Block::Heading(_, text) => h4 { (inline(text)) },
            Block::Paragraph(text) => p { (inline(text)) },
            Block::List(true, items) => ol { @for item in items { li { (inline(item)) } } },
            Block::List(false, items) => ul { @for item in items { li { (inline(item)) } } },
            Block::Code(code) => pre class="code" tabindex="0" { code { (code.trim_end()) } },
            Block::Table(rows) => (table(rows)),
            Block::Rule => hr;,
        }
    }
}

fn table(rows: &[Vec<String>]) -> Markup {
    html! {
        @if let Some((head, rest)) = rows.split_first() {
            div class="scroll" tabindex="0" role="region" aria-label="Table" {
                table {
                    thead { tr { @for cell in head { th scope="col" { (inline(cell)) } } } }
                    tbody { @for row in rest { tr { @for cell in row { td { (inline(cell)) } } } } }
                }
            }
        }
    }
}

/// A piece of a line.
#[derive(Debug, PartialEq, Eq)]
enum Span<'a> {
    Text(&'a str),
    Code(&'a str),
    Strong(&'a str),
    Emphasis(&'a str),
    Link(&'a str, &'a str),
    Image(&'a str),
}

fn inline(text: &str) -> Markup {
    html! {
        @for span in spans(text) {
            @match span {
                Span::Text(text) | Span::Image(text) => (text),
                Span::Code(text) => code { (text) },
                Span::Strong(text) => b { (text) },
                Span::Emphasis(text) => em { (text) },
                Span::Link(text, url) => a href=(url) rel="noreferrer nofollow" { (text) },
            }
        }
    }
}

/// Where marks that end a span stand last, as bytes before the end of the text. Without it a text of
/// marks that begin something would be searched to its end once for each.
struct Ends {
    code: usize,
    strong: usize,
    emphasis: usize,
    link: usize,
}

impl Ends {
    fn of(text: &str) -> Self {
        let last = |text: &str, mark| text.rfind(mark).map_or(0, |at: usize| text.len() - at);
        let link = text.rfind(')').and_then(|close| {
            let at = text.get(..close)?.rfind("](")?;
            Some(text.len() - at)
        });
        Self {
            code: last(text, "`"),
            strong: last(text, "**"),
            emphasis: last(text, "*"),
            link: link.unwrap_or(usize::MAX),
        }
    }
}

fn spans(text: &str) -> Vec<Span<'_>> {
    let ends = Ends::of(text);
    let mut out = Vec::new();
    let mut rest = text;
    let mut plain = 0;
    while let Some(here) = rest.get(plain..).filter(|r| !r.is_empty()) {
        if let Some((span, length)) = span_at(here, &ends) {
            if let Some(before) = rest.get(..plain).filter(|b| !b.is_empty()) {
                out.push(Span::Text(before));
            }
            out.push(span);
            rest = here.get(length..).unwrap_or_default();
            plain = 0;
        } else {
            plain += here.chars().next().map_or(1, char::len_utf8);
        }
    }
    if !rest.is_empty() {
        out.push(Span::Text(rest));
    }
    out
}

/// The span that begins `text`, and its length with its marks.
fn span_at<'a>(text: &'a str, ends: &Ends) -> Option<(Span<'a>, usize)> {
    let between = |mark: &str, end: usize| {
        let inner = text.strip_prefix(mark).filter(|inner| inner.len() >= end)?.split_once(mark)?.0;
        let fits = !inner.is_empty() && !inner.starts_with(' ');
        fits.then_some((inner, inner.len() + 2 * mark.len()))
    };
    match text.bytes().next()? {
        b'`' => between("`", ends.code).map(|(t, n)| (Span::Code(t), n)),
        b'*' => between("**", ends.strong)
            .map(|(t, n)| (Span::Strong(t), n))
            .or_else(|| between("*", ends.emphasis).map(|(t, n)| (Span::Emphasis(t), n))),
        b'!' | b'[' if text.len() <= ends.link => None,
        b'!' => link(text.get(1..)?).map(|(label, _, n)| (Span::Image(label), n + 1)),
        b'[' => link(text).map(|(label, url, n)| {
            let safe = url.starts_with("https://") || url.starts_with("http://");
            (if safe { Span::Link(label, url) } else { Span::Text(label) }, n)
        }),
        _ => None,
    }
}

/// `[label](url)` at the start of `text`: label, URL, length.
fn link(text: &str) -> Option<(&str, &str, usize)> {
    let (label, rest) = text.strip_prefix('[')?.split_once("](")?;
    let url = rest.split_once(')')?.0;
    let length = label.len() + url.len() + 4;
    Some((label, url.split(' ').next().unwrap_or_default(), length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_readmes_use_becomes_elements() {
        let text = "---\nicon: x\n---\n# Docker\n\nOne **container** for `you`.\n\n- [docs](https://a.test/x)\n- two\n  lines\n\n```sh\ncoder <b>\n```\n";
        let html = draw(text).into_string();
        assert_eq!(
            html,
            "<h3>Docker</h3><p>One <b>container</b> for <code>you</code>.</p><ul><li><a href=\"https://a.test/x\" \
             rel=\"noreferrer nofollow\">docs</a></li><li>two lines</li></ul><pre class=\"code\" tabindex=\"0\">\
             <code>coder &lt;b&gt;</code></pre>"
        );
    }

    #[test]
    fn marks_without_an_end_are_text_and_cost_no_search_each() {
        let drawn = |text: &str| draw(text).into_string();
        for text in ["[", "![", "**a ", "`"].map(|mark| mark.repeat(15_000)) {
            assert!(drawn(&format!("{text}x")).len() <= 16 * text.len());
        }
        assert_eq!(drawn("[a](b *c* `d"), "<p>[a](b <em>c</em> `d</p>");
        assert_eq!(drawn(") [[a](b) [c]("), "<p>) [a [c](</p>");
        assert_eq!(drawn("***a** ** b"), "<p><b>*a</b> ** b</p>");
    }

    #[test]
    fn nothing_of_the_author_s_runs() {
        let html = draw("<script>x</script> [a](javascript:alert(1)) ![b](https://t.test/p.gif)")
            .into_string();
        assert!(
            !html.contains("<script") && !html.contains("href") && !html.contains("<img"),
            "{html}"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_drawn_and_escaped(text in "[ -~\n`*\\[\\]()!#|é-]{0,200}") {
            let html = draw(&text).into_string();
            prop_assert!(!html.contains("<script") && !html.contains("javascript:\""));
        }
    }
}
