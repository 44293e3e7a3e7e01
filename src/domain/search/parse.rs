//! From text to terms.

use super::{ALTERNATIVES_MAX, Bare, Key, Pattern, QUERY_CHARS_MAX, Query, TERMS_MAX, fold};

/// The text is no query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidQuery {
    #[error("has more than {QUERY_CHARS_MAX} characters")]
    TooLong,
    #[error("has more than {TERMS_MAX} terms")]
    TooManyTerms,
    #[error("has more than {ALTERNATIVES_MAX} values for '{0}'")]
    TooManyValues(String),
    #[error("has a control character")]
    ControlCharacter,
    #[error("has a quote without its end")]
    OpenQuote,
    #[error("has no value after '{0}:'")]
    NoValue(String),
    #[error("cannot search by '{0}' here")]
    UnknownKey(String),
}

/// A piece of the text between spaces.
enum Word<'a> {
    Keyed { key: &'a str, value: &'a str },
    Quoted { key: Option<&'a str>, value: &'a str },
    Bare(&'a str),
}

/// A value that may still grow by the words that follow it.
struct Open {
    key: Key,
    value: String,
}

pub(super) fn query(text: &str, bare: Bare) -> Result<Query, InvalidQuery> {
    if text.chars().count() > QUERY_CHARS_MAX {
        return Err(InvalidQuery::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(InvalidQuery::ControlCharacter);
    }
    let mut query = Query::default();
    let mut open: Option<Open> = None;
    let mut count = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, after) = next_word(rest)?;
        rest = after.trim_start();
        match (word, &mut open) {
            (Word::Bare(word), Some(open)) if bare == Bare::Name || open.key == Key::Content => {
                open.value.push(' ');
                open.value.push_str(word);
                continue;
            }
            (Word::Bare(word), _) if bare == Bare::Anywhere => {
                close(&mut query, open.take());
                query.add(Key::Word, Pattern::part(word));
            }
            (Word::Bare(word), _) => open = Some(Open { key: Key::Name, value: word.to_owned() }),
            (Word::Keyed { key, value }, _) => {
                close(&mut query, open.take());
                open = Some(Open { key: Key::parse(key), value: value.to_owned() });
            }
            (Word::Quoted { key, value }, _) => {
                close(&mut query, open.take());
                match (key, bare) {
                    (Some(key), _) => query.add(Key::parse(key), Pattern::Exact(value.to_owned())),
                    (None, Bare::Name) => query.add(Key::Name, Pattern::Exact(value.to_owned())),
                    // Quotes keep words together here; a description is never meant whole.
                    (None, Bare::Anywhere) => query.add(Key::Word, Pattern::Contains(fold(value))),
                }
            }
        }
        count += 1;
        if count > TERMS_MAX {
            return Err(InvalidQuery::TooManyTerms);
        }
    }
    close(&mut query, open);
    match query.terms.iter().find(|term| term.patterns.len() > ALTERNATIVES_MAX) {
        Some(term) => Err(InvalidQuery::TooManyValues(term.key.to_string())),
        None => Ok(query),
    }
}

fn close(query: &mut Query, open: Option<Open>) {
    if let Some(Open { key, value }) = open {
        let pattern =
            if key.is_label() && !value.contains('*') { Pattern::Exact(value) } else { Pattern::unquoted(&value) };
        query.add(key, pattern);
    }
}

/// The first word of `text`, which does not start with a space, and what comes after it.
fn next_word(text: &str) -> Result<(Word<'_>, &str), InvalidQuery> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (value, rest) = until_quote(quoted)?;
        return Ok((Word::Quoted { key: None, value }, rest));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    // A colon at the start separates nothing: `:x` is a word.
    let Some((key, value)) = word.split_once(':').filter(|(key, _)| !key.is_empty() && !key.contains('"')) else {
        return Ok((Word::Bare(word), rest));
    };
    let after_key = text.get(key.len() + 1..).unwrap_or_default();
    if let Some(quoted) = after_key.strip_prefix('"') {
        let (value, rest) = until_quote(quoted)?;
        if value.is_empty() {
            return Err(InvalidQuery::NoValue(key.to_owned()));
        }
        return Ok((Word::Quoted { key: Some(key), value }, rest));
    }
    if value.is_empty() {
        return Err(InvalidQuery::NoValue(key.to_owned()));
    }
    Ok((Word::Keyed { key, value }, rest))
}

fn until_quote(text: &str) -> Result<(&str, &str), InvalidQuery> {
    text.split_once('"').ok_or(InvalidQuery::OpenQuote)
}
