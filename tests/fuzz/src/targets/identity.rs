//! What a directory says, and what people type that becomes part of a question to it.

use steading::server::identity::ldap::ber::{self, Reader, SEQUENCE};
use steading::server::identity::ldap::dn;
use steading::server::identity::ldap::filter::{Filter, Values};
use steading::server::identity::ldap::message::Response;

use super::Bytes;

/// A message is read within its bytes or refused; a name that was typed stays one value of a filter
/// and one part of an entry's name.
pub fn ldap_messages(data: &[u8]) {
    if let Ok(Some(length)) = ber::whole(data) {
        assert!(length >= 2);
    }
    if Response::read(data).is_ok() {
        let read = Reader(data).expect(SEQUENCE).expect("what was read is a sequence");
        assert!(read.len() <= data.len());
    }
    let mut input = Bytes(data);
    let (name, filter) = (input.text(), input.text());
    let values = Values { username: &name, dn: "" };
    if let Ok(filter) = Filter::parse(&filter) {
        let sent = filter.to_ber(values);
        assert_eq!(ber::whole(&sent), Ok(Some(sent.len())));
    }
    let equal = Filter::parse("(uid={username})").expect("it is a filter").to_ber(values);
    let mut inside = Reader(&equal).inside(0xa3).expect("it stays a comparison");
    assert_eq!((inside.text(), inside.text()), (Ok("uid"), Ok(name.as_str())));
    let written = format!("uid={},dc=x", dn::escaped(&name));
    assert_eq!(dn::parts(&written).map(|parts| parts.len()), Some(2), "{written:?}");
    assert_eq!(dn::first_value(&written), Some(name));
}
