//! Filters as RFC 4515 has them, and names that try to be more than names.

use super::*;
use crate::server::identity::ldap::ber::Reader;

fn sent(filter: &str, username: &str) -> Vec<u8> {
    Filter::parse(filter).unwrap().to_ber(Values { username, dn: "uid=ada,dc=x" })
}

#[test]
fn a_name_with_a_filter_s_signs_is_only_a_value() {
    for name in ["*", "ada)(uid=*", "*)(|(uid=*", "\\2a", "a\0b", "ada", "(", "{dn}", ""] {
        let sent = sent("(&(objectClass=person)(uid={username}))", name);
        let mut and = Reader(&sent).inside(AND).unwrap();
        and.expect(EQUAL).unwrap();
        let mut equal = and.inside(EQUAL).unwrap();
        assert!(and.is_empty(), "{name:?} brought a filter with it");
        assert_eq!(equal.text(), Ok("uid"));
        assert_eq!(equal.text(), Ok(name));
    }
}

#[test]
fn every_kind_of_filter_is_sent_as_the_standard_has_it() {
    assert_eq!(sent("(cn=*)", ""), [0x87, 2, b'c', b'n']);
    assert_eq!(sent("(!(a=b))", ""), [0xa2, 8, 0xa3, 6, 4, 1, b'a', 4, 1, b'b']);
    let like = [0xa4, 14, 4, 1, b'a', 0x30, 9, 0x80, 1, b'x', 0x81, 1, b'y', 0x82, 1, b'z'];
    assert_eq!(sent("(a=x*y*z)", ""), like);
    assert_eq!(sent("(a=*y*)", ""), [0xa4, 8, 4, 1, b'a', 0x30, 3, 0x81, 1, b'y']);
    assert_eq!(sent("(a>=1)", "").first(), Some(&0xa5));
    assert_eq!(sent("(a<=1)", "").first(), Some(&0xa6));
    assert_eq!(sent("(a~=1)", "").first(), Some(&0xa8));
    assert_eq!(sent("(a=\\28\\5c)", ""), [0xa3, 7, 4, 1, b'a', 4, 2, b'(', b'\\']);
    let nested = sent("(member:1.2.840.113556.1.4.1941:={dn})", "");
    let mut inside = Reader(&nested).inside(EXTENDED).unwrap();
    assert_eq!(inside.expect(0x81), Ok(&b"1.2.840.113556.1.4.1941"[..]));
    assert_eq!(inside.expect(0x82), Ok(&b"member"[..]));
    assert_eq!(inside.expect(0x83), Ok(&b"uid=ada,dc=x"[..]));
    assert_eq!(sent("(a:dn:=b)", ""), [0xa9, 9, 0x82, 1, b'a', 0x83, 1, b'b', 0x84, 1, 0xff]);
}

#[test]
fn what_is_no_filter_is_told_with_its_place() {
    for (text, why) in [
        ("uid={username}", BadFilter::At(0)),
        ("(uid={username}", BadFilter::At(15)),
        ("(uid={username}))", BadFilter::At(16)),
        ("(&)", BadFilter::At(2)),
        ("(=a)", BadFilter::At(1)),
        ("(a=\\2)", BadFilter::At(3)),
        ("(a=()", BadFilter::At(3)),
        ("(a={user})", BadFilter::Place("user".to_owned())),
        ("(a:=b", BadFilter::At(5)),
        ("", BadFilter::At(0)),
    ] {
        assert_eq!(Filter::parse(text), Err(why), "{text}");
    }
    let deep = format!("{}(a=b){}", "(!".repeat(40), ")".repeat(40));
    assert_eq!(Filter::parse(&deep), Err(BadFilter::TooMuch));
    assert!(Filter::parse(&format!("(a={})", "x".repeat(5000))).is_err());
    assert!(Filter::parse("(|(uid={username})(mail={username}))").unwrap().asks_for_username());
    assert!(!Filter::parse("(member={dn})").unwrap().asks_for_username());
}
