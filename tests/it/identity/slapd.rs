//! A real directory: slapd with `StartTLS`, as a child with people and groups.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use steading::model::group_sync::GroupSync;
use steading::model::identity::{Fields, LinkByEmail, Rules};
use steading::server::identity::ldap::Settings;
use steading::server::identity::ldap::filter::Filter;
use steading::server::identity::ldap::settings::{Attributes, Found, Groups, People, Security};
use zeroize::Zeroizing;

use crate::e2e::ports;
use crate::e2e::site::eventually;

/// Where everything in it is.
pub const BASE: &str = "dc=example,dc=test";
/// Who may look, but not into passwords.
const READER: &str = "cn=reader,dc=example,dc=test";
const ADMIN: &str = "cn=admin,dc=example,dc=test";
const SECRET: &str = "a secret for tests";

/// The directory; it ends with this.
pub struct Slapd {
    pub port: u16,
    pub tls_port: u16,
    /// The authority of its certificate, PEM.
    pub authority: String,
    dir: tempfile::TempDir,
    child: Child,
}

const PEOPLE: &str = "\
dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=test
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=test
objectClass: organizationalUnit
ou: groups

dn: cn=reader,dc=example,dc=test
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: a secret for tests

dn: uid=lin,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: lin
cn: Lin Chen
sn: Chen
mail: lin@example.test
userPassword: lin's password

dn: uid=max,ou=people,dc=example,dc=test
objectClass: inetOrgPerson
uid: max
cn: Max
sn: Max
mail: max@example.test
userPassword: max's password

dn: cn=potters,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: potters
member: uid=lin,ou=people,dc=example,dc=test

dn: cn=glaze,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: glaze
member: uid=lin,ou=people,dc=example,dc=test
member: uid=max,ou=people,dc=example,dc=test
";

impl Slapd {
    /// Starts a directory with Lin, a potter, and Max, who is none.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (authority, certificate, key) = certificates();
        for (name, text) in [("ca", &authority), ("cert", &certificate), ("key", &key)] {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        std::fs::create_dir(dir.path().join("db")).unwrap();
        std::fs::write(dir.path().join("conf"), configuration(dir.path())).unwrap();
        let (port, tls_port) = (ports::free(), ports::free());
        let child = run(&dir.path().join("conf"), (port, tls_port));
        let slapd = Self { port, tls_port, authority, dir, child };
        slapd.change("ldapadd", PEOPLE);
        slapd
    }

    /// Changes what is in it, by LDIF.
    pub fn change(&self, program: &str, ldif: &str) {
        let mut child = Command::new(program)
            .args(["-x", "-ZZ", "-H", &format!("ldap://127.0.0.1:{}", self.port)])
            .args(["-D", ADMIN, "-w", SECRET])
            .env("LDAPTLS_CACERT", self.path("ca"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("run .ci/peers first");
        child.stdin.take().unwrap().write_all(ldif.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{program}: {ldif}");
    }

    /// Takes someone out of a group, or puts them in.
    pub fn member(&self, verb: &str, group: &str, uid: &str) {
        self.change(
            "ldapmodify",
            &format!(
                "dn: cn={group},ou=groups,{BASE}\nchangetype: modify\n{verb}: member\n\
                 member: uid={uid},ou=people,{BASE}\n"
            ),
        );
    }

    /// Ends it, as a power cut would.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again, where it was.
    pub fn again(&mut self) {
        self.child = run(&self.path("conf"), (self.port, self.tls_port));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// How Steading is told of it: `StartTLS`, a search by a reader, groups by `memberOf`.
    pub fn settings(&self) -> Settings {
        Settings {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            security: Security::StartTls,
            authorities: Some(self.authority.clone().into_bytes()),
            bind_dn: READER.to_owned(),
            bind_password: Zeroizing::new(SECRET.to_owned()),
            people: People::Search(
                BASE.to_owned(),
                Filter::parse("(&(objectClass=inetOrgPerson)(uid={username}))").unwrap(),
            ),
            attributes: Attributes {
                id: "entryUUID".to_owned(),
                username: "uid".to_owned(),
                email: "mail".to_owned(),
                name: "cn".to_owned(),
            },
            groups: Groups {
                base: format!("ou=groups,{BASE}"),
                found: Found::In("memberOf".to_owned()),
                named: vec![],
            },
            check_every: Duration::from_mins(1),
            rules: Arc::new(rules()),
        }
    }

    /// The same as a table of the settings' file.
    pub fn table(&self) -> String {
        let ca = self.path("ca");
        format!(
            "[ldap]\nurl = \"ldap://127.0.0.1:{}\"\nca_file = {ca:?}\nbase = \"{BASE}\"\n\
             bind_dn = \"{READER}\"\nbind_password = \"{SECRET}\"\n",
            self.port
        )
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whoever is in the directory may come in, and is in the groups of it.
pub fn rules() -> Rules {
    Rules {
        fields: Fields {
            email: "mail".to_owned(),
            username: "uid".to_owned(),
            name: "cn".to_owned(),
        },
        domains: vec![],
        ignore_email_verified: true,
        allow_signups: true,
        link_by_email: LinkByEmail::None,
        groups: Some(GroupSync {
            field: "groups".to_owned(),
            only_mapped: false,
            auto_create: true,
            ..GroupSync::default()
        }),
        roles: None,
        organizations: None,
        allowed: None,
    }
}

/// Runs slapd until it says that it listens.
fn run(conf: &std::path::Path, (port, tls_port): (u16, u16)) -> Child {
    let mut child = Command::new("/usr/sbin/slapd")
        .args(["-d", "stats", "-h"])
        .arg(format!("ldap://127.0.0.1:{port}/ ldaps://127.0.0.1:{tls_port}/"))
        .arg("-f")
        .arg(conf)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("run .ci/peers first");
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("slapd starting") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "slapd does not start");
    }
    // It says so a moment before it listens.
    for port in [port, tls_port] {
        eventually("slapd listens", || TcpStream::connect(("127.0.0.1", port)).ok());
    }
    // Its log is read to the end: it must not wait for someone who reads.
    std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    child
}

/// Passwords only come by TLS, and a bind without one succeeds, as it does in many a directory.
fn configuration(dir: &std::path::Path) -> String {
    let dir = dir.display();
    format!(
        "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\npidfile {dir}/pid\n\
         modulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload memberof\n\
         TLSCACertificateFile {dir}/ca\nTLSCertificateFile {dir}/cert\n\
         TLSCertificateKeyFile {dir}/key\nsecurity simple_bind=1\nallow bind_anon_dn\n\
         database mdb\nmaxsize 10485760\nsuffix \"{BASE}\"\nrootdn \"{ADMIN}\"\n\
         rootpw \"{SECRET}\"\ndirectory {dir}/db\noverlay memberof\n\
         memberof-group-oc groupOfNames\nmemberof-refint TRUE\n\
         access to attrs=userPassword by anonymous auth by * none\n\
         access to * by dn.exact=\"{READER}\" read by * none\n"
    )
}

/// An authority, and a certificate of it for 127.0.0.1 with its key.
pub fn certificates() -> (String, String, String) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    (authority.pem(), certificate.pem(), key.serialize_pem())
}
