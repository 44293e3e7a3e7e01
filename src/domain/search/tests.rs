//! Queries as people and tools write them.

use super::*;

fn contains(text: &str) -> Pattern {
    Pattern::Contains(text.to_owned())
}

fn exact(text: &str) -> Pattern {
    Pattern::Exact(text.to_owned())
}

fn terms(text: &str) -> Vec<(Key, Vec<Pattern>)> {
    Query::parse(text).unwrap().terms.into_iter().map(|term| (term.key, term.patterns)).collect()
}

#[test]
fn bare_words_are_a_part_of_the_name() {
    assert_eq!(terms("Pizza"), [(Key::Name, vec![contains("pizza")])]);
    assert_eq!(terms("  pizza   hut "), [(Key::Name, vec![contains("pizza hut")])]);
    assert!(Query::parse("  ").unwrap().is_empty());
}

#[test]
fn the_search_of_command_line_clients_is_understood() {
    assert_eq!(
        terms(r#"name:"Pizza Shack" version:"1.0.0" provider:"admin" type:"API""#),
        [
            (Key::Name, vec![exact("Pizza Shack")]),
            (Key::Version, vec![exact("1.0.0")]),
            (Key::Provider, vec![exact("admin")]),
            (Key::Type, vec![exact("API")]),
        ]
    );
}

#[test]
fn a_repeated_key_is_one_term_with_several_values() {
    assert_eq!(
        terms("tags:a name:x tag:b"),
        [(Key::Tag, vec![exact("a"), exact("b")]), (Key::Name, vec![contains("x")])]
    );
}

#[test]
fn words_after_an_unquoted_value_belong_to_it_and_after_quotes_to_the_name() {
    assert_eq!(terms("content:hot cheese"), [(Key::Content, vec![contains("hot cheese")])]);
    assert_eq!(
        terms(r#"type:"APIProduct" hot"#),
        [(Key::Type, vec![exact("APIProduct")]), (Key::Name, vec![contains("hot")])]
    );
}

#[test]
fn words_of_a_search_must_all_be_found_anywhere() {
    let found: Vec<(Key, Vec<Pattern>)> = Query::parse_search(r#"Hot version:1.0 crust "at your" name:"Pizza" door*"#)
        .unwrap()
        .terms
        .into_iter()
        .map(|term| (term.key, term.patterns))
        .collect();
    assert_eq!(
        found,
        [
            (Key::Word, vec![contains("hot")]),
            (Key::Version, vec![contains("1.0")]),
            (Key::Word, vec![contains("crust")]),
            (Key::Word, vec![contains("at your")]),
            (Key::Name, vec![exact("Pizza")]),
            (Key::Word, vec![Pattern::unquoted("*door**")]),
        ]
    );
    let content = Query::parse_search("content:hot cheese").unwrap();
    assert_eq!(content.patterns(&Key::Content), Some([contains("hot cheese")].as_slice()));
    assert_eq!(Query::parse_search(&"x ".repeat(21)), Err(InvalidQuery::TooManyTerms));
    assert_eq!(Key::parse("word"), Key::Property("word".to_owned()));
}

#[test]
fn other_words_name_custom_properties() {
    assert_eq!(terms("Cost-Centre:42"), [(Key::Property("cost-centre".to_owned()), vec![contains("42")])]);
    assert_eq!(terms("context:/a:b"), [(Key::Context, vec![contains("/a:b")])]);
}

#[test]
fn a_star_stands_for_anything_and_the_rest_is_meant_whole() {
    let starts = Pattern::unquoted("Pizza*");
    assert!(starts.matches("pizzashack") && starts.matches("PIZZA") && !starts.matches("my pizza"));
    let middle = Pattern::unquoted("a*b*c");
    assert!(middle.matches("axxbyc") && !middle.matches("acb") && !middle.matches("ac"));
    assert!(Pattern::unquoted("*").matches("") && Pattern::unquoted("ab*ba").matches("abba"));
    assert!(!Pattern::unquoted("ab*ba").matches("aba"));
    assert_eq!(starts.as_like(), "pizza%");
}

#[test]
fn signs_that_sql_interprets_are_escaped() {
    assert_eq!(contains("50%_\\").as_like(), "%50\\%\\_\\\\%");
    assert_eq!(exact("A*_").as_like(), "a*\\_");
}

#[test]
fn what_is_no_query_is_refused_with_the_reason() {
    assert_eq!(Query::parse("name:"), Err(InvalidQuery::NoValue("name".to_owned())));
    assert_eq!(Query::parse(r#"name:"""#), Err(InvalidQuery::NoValue("name".to_owned())));
    assert_eq!(Query::parse(r#"name:"x"#), Err(InvalidQuery::OpenQuote));
    assert_eq!(Query::parse("a\u{0}b"), Err(InvalidQuery::ControlCharacter));
    assert_eq!(Query::parse(&"x".repeat(1001)), Err(InvalidQuery::TooLong));
    let many: String = (0..21).map(|number| format!("key{number}:x ")).collect();
    assert_eq!(Query::parse(&many), Err(InvalidQuery::TooManyTerms));
    assert_eq!(Query::parse(&"a:b ".repeat(7)), Err(InvalidQuery::TooManyValues("a".to_owned())));
}

#[test]
fn any_text_is_parsed_or_refused_without_a_panic() {
    let signs = ['"', ':', '*', ' ', 'a', 'ß', 'İ', '\\', '%'];
    for seed in 0_usize..20_000 {
        let mut left = seed;
        let mut text = String::new();
        while left > 0 {
            text.extend(signs.get(left % signs.len()));
            left /= signs.len();
        }
        for query in [Query::parse(&text), Query::parse_search(&text)].into_iter().flatten() {
            assert!(query.terms().iter().all(|term| !term.patterns.is_empty()), "{text:?}");
        }
    }
}

#[test]
fn folding_ignores_case_and_drops_control_characters() {
    assert_eq!(fold("A\u{0}Ä"), "a ä");
    assert!(exact("PUBLISHED").matches("published"));
}
