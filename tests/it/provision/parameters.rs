//! A table of `coder_parameter` blocks through real Terraform: what each is worth, or why not.

use steading::model::build::Transition;
use steading::model::parameter::ParameterValue;
use steading::provision::BuildEnd;

use super::kit::{HEAD, World, build, value};

/// What becomes of a row.
#[derive(Clone, Copy)]
enum Then {
    /// Its value.
    Is(&'static str),
    /// It is refused when it is read, in words that hold these.
    No(&'static str),
    /// It is refused before anything is read.
    Bad(&'static str),
}
use Then::{Bad, Is, No};

/// Type, what else the block says, the value given, the value of the last build, the outcome.
/// An option is written as `|value` after the type.
type Row = (&'static str, &'static str, Option<&'static str>, Option<&'static str>, Then);

const fn row(kind: &'static str, says: &'static str, then: Then) -> Row {
    (kind, says, None, None, then)
}

const fn given(kind: &'static str, says: &'static str, value: &'static str, then: Then) -> Row {
    (kind, says, Some(value), None, then)
}

const fn after(says: &'static str, value: &'static str, last: &'static str, then: Then) -> Row {
    ("number", says, Some(value), Some(last), then)
}

const REGEX: &str = "default = \"abc\"\nvalidation {\n regex = \"^[a-z]+$\"\n error = \"letters only, not {value}\"\n}";
const BOUNDS: &str = "default = 5\nvalidation {\n min = 1\n max = 10\n}";
const OWN_WORDS: &str = "default = 5\nvalidation {\n min = 1\n max = 10\n error = \"{value} is not in {min} to {max}\"\n}";
const UP: &str = "default = 5\nvalidation {\n monotonic = \"increasing\"\n}";
const DOWN: &str = "default = 5\nvalidation {\n monotonic = \"decreasing\"\n}";
const MULTI: &str = "form_type = \"multi-select\"\n";

#[rustfmt::skip]
const STRINGS: &[Row] = &[
    row("string", "", Is("")),
    row("string", "default = \"\"", Is("")),
    row("string", "default = \"x\"", Is("x")),
    row("string", "default = 7", Is("7")),
    row("string", "default = true", Is("true")),
    row("string", "default = null", Is("")),
    given("string", "", "y", Is("y")),
    given("string", "default = \"x\"", "y", Is("y")),
    given("string", "default = \"x\"", "", Is("")),
    given("string", "", "multi\nline ü", Is("multi\nline ü")),
    row("string", "form_type = \"textarea\"\ndefault = \"x\"", Is("x")),
    row("string", "form_type = \"input\"\ndefault = \"x\"", Is("x")),
    row("string", "form_type = \"slider\"\ndefault = \"x\"", No("form_type \"slider\" is not supported")),
    row("string", "form_type = \"radio\"\ndefault = \"x\"", No("without options")),
    row("string", "form_type = \"nonsense\"", Bad("expected one of radio")),
    row("string|a|b", "default = \"a\"", Is("a")),
    row("string|a|b", "", Is("")),
    given("string|a|b", "", "b", Is("b")),
    given("string|a|b", "default = \"a\"", "b", Is("b")),
    row("string|a|b", "default = \"c\"", No("Default value must be a valid option")),
    given("string|a|b", "default = \"a\"", "c", No("Value must be a valid option")),
    given("string|a|b", "default = \"a\"", "", No("Value must be a valid option")),
    row("string|a|b", "form_type = \"dropdown\"\ndefault = \"b\"", Is("b")),
    row("string|a|b", "form_type = \"input\"\ndefault = \"b\"", No("with options")),
    row("string|a|a", "default = \"a\"", No("Option values must be unique")),
    row("string", "default = \"a\"\noption {\n name = \"n\"\n value = \"a\"\n}\noption {\n name = \"n\"\n value = \"b\"\n}", No("Option names must be unique")),
    row("string", REGEX, Is("abc")),
    given("string", REGEX, "xyz", Is("xyz")),
    given("string", REGEX, "x1", No("letters only, not x1")),
    given("string", REGEX, "", No("letters only")),
    row("string", "default = \"a\"\nvalidation {\n regex = \"[\"\n error = \"e\"\n}", No("compile regex")),
    row("string", "default = \"a\"\nvalidation {\n regex = \"a\"\n}", No("an error must be specified")),
    row("string", "default = \"a\"\nvalidation {\n min = 1\n}", No("a min cannot be specified for a string type")),
    row("string", "default = \"a\"\nvalidation {\n max = 1\n}", No("a max cannot be specified for a string type")),
    row("string", "default = \"a\"\nvalidation {\n monotonic = \"increasing\"\n}", No("monotonic validation can only be specified for number types")),
    row("string", "default = \"a\"\nvalidation {\n regex = \"a\"\n min = 1\n error = \"e\"\n}", Bad("conflicts with min")),
    row("string", "default = \"a\"\nmutable = true\nephemeral = true", Is("a")),
    row("string", "default = \"a\"\nephemeral = true", No("can't be immutable and ephemeral")),
    row("string", "mutable = true\nephemeral = true", No("ephemeral parameter requires the default")),
    row("string", "icon = \"http://%zz\"", Bad("is not a URL")),
    row("text", "", Bad("expected one of string, number, bool")),
];

#[rustfmt::skip]
const NUMBERS: &[Row] = &[
    row("number", "", Is("")),
    row("number", "default = 3", Is("3")),
    row("number", "default = \"3\"", Is("3")),
    row("number", "default = 2.5", Is("2.5")),
    row("number", "default = \"x\"", No("not of type \"number\"")),
    row("number", "default = \"\"", No("not of type \"number\"")),
    given("number", "", "4", Is("4")),
    given("number", "", "-4", Is("-4")),
    given("number", "default = 3", "x", No("not of type \"number\"")),
    given("number", "default = 3", "", No("not of type \"number\"")),
    row("number", "form_type = \"slider\"\ndefault = 3", Is("3")),
    row("number", "form_type = \"textarea\"\ndefault = 3", No("form_type \"textarea\"")),
    row("number|1|2", "default = 1", Is("1")),
    row("number|1|2", "default = 3", No("Default value must be a valid option")),
    row("number|1|x", "default = 1", No("is not of type \"number\"")),
    given("number|1|2", "form_type = \"dropdown\"", "2", Is("2")),
    row("number", BOUNDS, Is("5")),
    given("number", BOUNDS, "1", Is("1")),
    given("number", BOUNDS, "10", Is("10")),
    given("number", BOUNDS, "0", No("less than the minimum 1")),
    given("number", BOUNDS, "11", No("more than the maximum 10")),
    given("number", BOUNDS, "1.5", No("is not a number")),
    row("number", "default = 50\nvalidation {\n max = 10\n}", No("Invalid parameter default value")),
    given("number", "validation {\n min = 0\n}", "-1", No("less than the minimum 0")),
    row("number", "validation {\n min = 1\n}", No("is not a number")),
    given("number", OWN_WORDS, "99", No("99 is not in 1 to 10")),
    given("number", OWN_WORDS, "x", No("x is not in 1 to 10")),
    row("number", "default = 5\nvalidation {\n regex = \"5\"\n error = \"e\"\n}", No("a regex cannot be specified for a number type")),
    row("number", "default = 5\nvalidation {\n monotonic = \"sideways\"\n}", No("number monotonicity can be either")),
    row("number", "default = 5\nvalidation {\n min = 1.5\n}", Bad("expected a whole number")),
    given("number", UP, "5", Is("5")),
    after(UP, "6", "5", Is("6")),
    after(UP, "5", "5", Is("5")),
    after(UP, "4", "5", No("must be equal or greater than previous value: 5")),
    after(UP, "4", "was no number", Is("4")),
    after(DOWN, "4", "5", Is("4")),
    after(DOWN, "5", "5", Is("5")),
    after(DOWN, "6", "5", No("must be equal or lower than previous value: 5")),
];

#[rustfmt::skip]
const OTHERS: &[Row] = &[
    row("bool", "", Is("")),
    row("bool", "default = true", Is("true")),
    row("bool", "default = \"false\"", Is("false")),
    row("bool", "default = \"1\"", Is("1")),
    row("bool", "default = \"yes\"", No("not of type \"bool\"")),
    row("bool", "default = \"\"", No("not of type \"bool\"")),
    given("bool", "default = true", "false", Is("false")),
    given("bool", "default = true", "maybe", No("not of type \"bool\"")),
    row("bool", "form_type = \"switch\"\ndefault = true", Is("true")),
    row("bool", "form_type = \"checkbox\"\ndefault = true", Is("true")),
    row("bool", "form_type = \"input\"\ndefault = true", No("form_type \"input\"")),
    row("bool|true|false", "default = true", Is("true")),
    row("bool|true|false", "form_type = \"switch\"\ndefault = true", No("form_type \"switch\"")),
    row("bool", "default = true\nvalidation {\n}", Is("true")),
    row("bool", "default = \"1\"\nvalidation {\n}", No("boolean value can be either")),
    row("bool", "default = true\nvalidation {\n min = 1\n}", No("a min cannot be specified for a bool type")),
    row("bool", "default = true\nvalidation {\n regex = \"t\"\n error = \"e\"\n}", No("a regex cannot be specified for a bool type")),
    row("list(string)", "", Is("")),
    row("list(string)", "default = jsonencode([])", Is("[]")),
    row("list(string)", "default = jsonencode([\"a\", \"b\"])", Is("[\"a\",\"b\"]")),
    row("list(string)", "default = \"a\"", No("not of type \"list(string)\"")),
    row("list(string)", "default = jsonencode([1])", No("not of type \"list(string)\"")),
    given("list(string)", "", "[\"x\"]", Is("[\"x\"]")),
    given("list(string)", "default = jsonencode([])", "x", No("not of type \"list(string)\"")),
    row("list(string)", "form_type = \"tag-select\"\ndefault = jsonencode([\"a\"])", Is("[\"a\"]")),
    row("list(string)", "form_type = \"multi-select\"\ndefault = jsonencode([\"a\"])", No("form_type \"multi-select\"")),
    row("list(string)|[\\\"a\\\"]|[\\\"b\\\"]", "default = jsonencode([\"b\"])", Is("[\"b\"]")),
    row("list(string)|a|b", "default = jsonencode([\"b\"])", No("is not of type \"list(string)\"")),
    row("list(string)|a|b|c", "form_type = \"multi-select\"\ndefault = jsonencode([\"b\", \"c\"])", Is("[\"b\",\"c\"]")),
    given("list(string)|a|b|c", MULTI, "[\"a\"]", Is("[\"a\"]")),
    given("list(string)|a|b|c", MULTI, "[]", Is("[]")),
    given("list(string)|a|b|c", MULTI, "[\"a\",\"z\"]", No("Values must be a valid option")),
    given("list(string)|a|b|c", MULTI, "a", No("value must be a json encoded list of strings")),
    row("list(string)|a", "form_type = \"tag-select\"\ndefault = \"[]\"", No("form_type \"tag-select\"")),
    row("list(string)", "default = jsonencode([\"a\"])\nvalidation {\n regex = \"a\"\n error = \"e\"\n}", No("a regex cannot be specified for a list(string) type")),
];

fn all() -> Vec<(String, &'static Row)> {
    let rows = STRINGS.iter().chain(NUMBERS).chain(OTHERS).enumerate();
    rows.map(|(i, row)| (format!("r{i}"), row)).collect()
}

fn block(name: &str, row: &Row) -> String {
    let mut parts = row.0.split('|');
    let kind = parts.next().unwrap();
    let options: String = parts
        .enumerate()
        .map(|(i, v)| format!("option {{\n name = \"o{i}\"\n value = \"{v}\"\n}}\n"))
        .collect();
    format!(
        "data \"coder_parameter\" \"{name}\" {{\nname = \"{name}\"\ntype = \"{kind}\"\n{}\n{options}}}\n",
        row.1
    )
}

async fn planned(world: &World, rows: &[(String, &Row)], more: &str) -> BuildEnd {
    let blocks: String = rows.iter().map(|(name, row)| block(name, row)).collect();
    let main = format!("{HEAD}{blocks}{more}");
    let files = [("main.tf", main.as_str())];
    let mut job = build(&files, Transition::Start, None);
    let values = |pick: fn(&Row) -> Option<&'static str>| -> Vec<ParameterValue> {
        rows.iter().filter_map(|(name, row)| Some(value(name, pick(row)?))).collect()
    };
    job.parameters = values(|row| row.2);
    job.previous_parameters = values(|row| row.3);
    world.build(job).await
}

/// The words about each row in a log: a diagnostic names the block it is about.
fn words_about(log: &str, name: &str) -> String {
    let mark = format!("in data \"coder_parameter\" \"{name}\"");
    log.split("Error: ").skip(1).filter(|d| d.contains(&mark)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_worth_what_it_should_be() {
    let rows = all();
    assert!(rows.len() >= 86, "{}", rows.len());
    let good: Vec<_> = rows.iter().filter(|(_, r)| matches!(r.4, Is(_))).cloned().collect();
    let outputs: String =
        good.iter().map(|(n, _)| format!("  {n} = data.coder_parameter.{n}.value\n")).collect();
    let more = format!("resource \"terraform_data\" \"out\" {{\n input = {{\n{outputs}}}\n}}\n");
    let world = World::new();
    let end = planned(&world, &good, &more).await;
    assert!(end.result.is_ok(), "{:?}\n{}", end.result, world.log());
    let state: serde_json::Value = serde_json::from_slice(&end.state.unwrap()).unwrap();
    let resources = state["resources"].as_array().unwrap();
    let out = resources.iter().find(|r| r["name"] == "out").unwrap();
    let values = &out["instances"][0]["attributes"]["input"]["value"];
    for (name, row) in &good {
        let Is(expected) = row.4 else { continue };
        assert_eq!(
            values[name.as_str()],
            *expected,
            "{row_0} {row_1:?}",
            row_0 = row.0,
            row_1 = row.1
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_row_is_refused_in_its_own_words() {
    let rows = all();
    let read: Vec<_> = rows.iter().filter(|(_, r)| matches!(r.4, No(_))).cloned().collect();
    let early: Vec<_> = rows.iter().filter(|(_, r)| matches!(r.4, Bad(_))).cloned().collect();
    for rows in [read, early] {
        let world = World::new();
        let end = planned(&world, &rows, "").await;
        assert!(end.result.is_err());
        let log = world.log();
        for (name, row) in &rows {
            let (No(expected) | Bad(expected)) = row.4 else { continue };
            let words = words_about(&log, name);
            assert!(words.contains(expected), "{name} {} {:?}: {words}", row.0, row.1);
        }
    }
}
