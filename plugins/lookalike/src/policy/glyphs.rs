//! What names look like to a reader. The table is made by build.rs.

include!(concat!(env!("OUT_DIR"), "/glyphs.rs"));

/// What a host, or some labels of one, looks like: two that look the same give the same text.
pub(crate) fn look(name: &str) -> String {
    let mut look = String::with_capacity(name.len());
    for (at, label) in name.split('.').enumerate() {
        if at > 0 {
            look.push('.');
        }
        let encoded = label.strip_prefix("xn--");
        match encoded.and_then(idna::punycode::decode_to_string) {
            Some(decoded) => push_glyphs(&mut look, &decoded),
            None => push_glyphs(&mut look, label),
        }
    }
    // Two letters that are read as one are one, or an edit of it would count twice.
    look.replace("rn", "m").replace("vv", "w")
}

fn push_glyphs(look: &mut String, label: &str) {
    let characters = label.chars();
    for character in characters.filter(|character| !is_mark(*character)) {
        match GLYPHS.binary_search_by_key(&character, |(glyph, _)| *glyph) {
            Ok(at) => look.push_str(GLYPHS[at].1),
            Err(_) => look.push(character),
        }
    }
}

fn is_mark(character: char) -> bool {
    let at = MARKS.partition_point(|(_, last)| *last < character);
    MARKS.get(at).is_some_and(|(first, _)| *first <= character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_label(label: &str) -> String {
        format!("xn--{}", idna::punycode::encode_str(label).unwrap())
    }

    #[test]
    fn names_that_look_the_same_give_the_same_text() {
        for (label, other) in [
            // In Cyrillic letters.
            ("apple", &*a_label("аррӏе")),
            ("apple", "app1e"),
            ("google", "g00g1e"),
            ("microsoft", "rnicrosoft"),
            ("walmart", "vvalmart"),
            // Letters with marks of their own, and with a mark that is a character.
            ("bucher", &a_label("bücher")),
            ("paypal", &a_label("paypa\u{323}l")),
        ] {
            assert_eq!(look(label), look(other), "{label} {other}");
        }
    }

    #[test]
    fn names_that_do_not_stay_different() {
        for (label, other) in [
            ("apple", "apply"),
            ("bank", "tank"),
            ("oi", "ol"),
            ("a-b", "ab"),
        ] {
            assert_ne!(look(label), look(other), "{label} {other}");
        }
    }

    #[test]
    fn a_label_that_is_no_punycode_is_taken_as_it_is() {
        assert_eq!(look("xn--a-ecp-x0"), look("xn--a-ecp-x0"));
        assert_eq!(look("xn--99999999"), "xn--99999999");
    }

    #[test]
    fn the_table_has_what_can_stand_in_a_host() {
        assert!(GLYPHS.is_sorted_by_key(|(glyph, _)| *glyph));
        assert!(MARKS.is_sorted());
        let has = |glyph: char| GLYPHS.iter().any(|(known, _)| *known == glyph);
        assert!(has('а') && has('é') && has('ı'));
        // Upper case is not there any more when a filter sees a host.
        assert!(!has('А') && !has('𝐚'));
    }
}
