use super::*;
use crate::fixture;

const SHA_PASSWORD: &str = "{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=";

fn settings(users: &[&str]) -> config::dynamic::BasicAuth {
    config::dynamic::BasicAuth {
        users: users.iter().map(|user| (*user).to_owned()).collect(),
        ..config::dynamic::BasicAuth::default()
    }
}

fn ask(middleware: &BasicAuth, authorization: &str) -> (Exchange, Option<Response>) {
    let mut exchange = fixture::exchange("GET", "http://h/");
    exchange.request.headers =
        fixture::headers(&[("Authorization", authorization), ("X-User", "forged")]);
    let answer = fixture::async_request_phase(middleware, &mut exchange, &mut None);
    (exchange, answer)
}

fn basic(credentials: &str) -> String {
    format!("Basic {}", STANDARD.encode(credentials))
}

fn check(middleware: &BasicAuth, authorization: &str, user: Option<&str>, passes: bool) {
    let (exchange, answer) = ask(middleware, authorization);
    assert_eq!(answer.is_none(), passes, "{authorization}");
    assert_eq!(exchange.record.user.as_deref(), user);
}

#[test]
fn users_pass_with_their_password_only() {
    let bcrypt = bcrypt::hash("secret", 4).expect("a hash");
    let slow = format!("slow:{bcrypt}");
    let md5 = "md5:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/";
    let quick = format!("quick:{SHA_PASSWORD}");
    let middleware = BasicAuth::new(&settings(&[&slow, md5, &quick])).expect("valid users");
    for (credentials, user, passes) in [
        ("quick:password", "quick", true),
        ("quick:wrong", "quick", false),
        ("slow:secret", "slow", true),
        // Remembered now.
        ("slow:secret", "slow", true),
        ("slow:password", "slow", false),
        ("md5:test", "md5", true),
        ("md5:wrong", "md5", false),
        ("nobody:password", "nobody", false),
        ("nobody:secret", "nobody", false),
    ] {
        check(&middleware, &basic(credentials), Some(user), passes);
    }
}

#[test]
fn the_scheme_is_read_in_any_case_and_broken_headers_are_refused() {
    let quick = format!("u:{SHA_PASSWORD}");
    let middleware = BasicAuth::new(&settings(&[&quick])).expect("valid users");
    check(&middleware, &basic("u:password").replace("Basic", "basic"), Some("u"), true);
    check(&middleware, "Basic", None, false);
    check(&middleware, "Basic !!!", None, false);
    check(&middleware, "Bearer dTpwYXNzd29yZA==", None, false);
    check(&middleware, &basic("no colon"), None, false);
}

#[test]
fn the_refusal_is_traefiks() {
    let quick = format!("u:{SHA_PASSWORD}");
    let refusal = |realm: &str| {
        let settings =
            config::dynamic::BasicAuth { realm: realm.to_owned(), ..settings(&[&quick]) };
        let middleware = BasicAuth::new(&settings).expect("valid users");
        ask(&middleware, "").1.map(fixture::told)
    };
    assert_eq!(
        refusal("").as_deref(),
        Some(
            "401\ncontent-type: text/plain\nwww-authenticate: Basic realm=\"traefik\"\n\
             401 Unauthorized\n"
        )
    );
    assert!(refusal("mine").is_some_and(|told| told.contains("Basic realm=\"mine\"")));
}

#[test]
fn the_request_tells_the_user_and_hides_the_password() {
    let settings = config::dynamic::BasicAuth {
        header_field: "X-User".to_owned(),
        remove_header: true,
        ..settings(&[&format!("u:{SHA_PASSWORD}")])
    };
    let middleware = BasicAuth::new(&settings).expect("valid users");
    let (exchange, answer) = ask(&middleware, &basic("u:password"));
    assert!(answer.is_none());
    assert_eq!(fixture::lines(&exchange.request.headers), ["x-user: u"]);
}

#[test]
fn a_file_of_users_is_read_and_the_list_overrules_it() {
    let folder = std::env::temp_dir().join(format!("basic-auth-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("users");
    std::fs::write(&file, format!("# people\n\n  a:{SHA_PASSWORD}  \nb:{SHA_PASSWORD}\n"))
        .expect("a file");
    let settings = config::dynamic::BasicAuth {
        users_file: file.to_string_lossy().into_owned(),
        ..settings(&["b:nothing-fits"])
    };
    let middleware = BasicAuth::new(&settings);
    std::fs::remove_dir_all(&folder).expect("the folder");
    let middleware = middleware.expect("valid users");
    check(&middleware, &basic("a:password"), Some("a"), true);
    check(&middleware, &basic("b:password"), Some("b"), false);
}

#[test]
fn broken_settings_are_refused_with_traefiks_words() {
    let error = |settings: &config::dynamic::BasicAuth| BasicAuth::new(settings).err();
    assert_eq!(error(&settings(&[])).as_deref(), Some("no users found in "));
    assert_eq!(error(&settings(&["abc"])).as_deref(), Some("error parsing BasicUser: abc"));
    assert_eq!(error(&settings(&["a:b:c"])).as_deref(), Some("error parsing BasicUser: a:b:c"));
    let missing = config::dynamic::BasicAuth {
        users_file: "/nonexistent".to_owned(),
        ..config::dynamic::BasicAuth::default()
    };
    assert_eq!(error(&missing).as_deref(), Some("open /nonexistent: no such file or directory"));
}
