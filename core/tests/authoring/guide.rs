//! The filters in JavaScript and Python that the guide shows: each is cut out of its text, put into
//! a new project beside what the template has and must stay, and tested natively there.

use std::fs;

use super::languages::there_is;
use super::{Author, edit, stderr};

const GUIDE: &str = include_str!("../../../sdk/README.md");

/// What stands below that heading.
fn section(heading: &str) -> &'static str {
    let (_, rest) = GUIDE.split_once(&format!("\n## {heading}\n")).unwrap();
    let (section, _) = rest.split_once("\n## ").unwrap();
    section
}

/// The only block of code in that language.
fn code(section: &'static str, language: &str) -> &'static str {
    let opening = format!("\n```{language}\n");
    let mut blocks = section.split(&*opening).skip(1);
    let block = blocks.next().unwrap();
    assert_eq!(blocks.next(), None, "one block in {language}");
    let (code, _) = block.split_once("\n```\n").unwrap();
    code
}

/// What stands in a template from the text `begin` up to the text `end`.
fn kept<'a>(template: &'a str, begin: &str, end: &str) -> &'a str {
    let from = template.find(begin).unwrap();
    let length = template[from..].find(end).unwrap();
    &template[from..from + length]
}

#[test]
fn the_filter_in_javascript_that_the_guide_shows_passes_tests() {
    if !there_is("node") || !there_is("npm") {
        return;
    }
    let section = section("In JavaScript");
    let begins = "portcullis plugin new vendors --lang js\ncd vendors\nnpm test ";
    assert!(section.contains(begins), "{section}");
    let author = Author::new();
    let dir = author.begins(&["--lang", "js", "vendors"]);
    edit(&dir.join("src/filter.js"), |template| {
        let lifecycle = kept(&template, "// What holds if", "export const judgeHost");
        let import = "import { settings } from './portcullis.js';";
        format!("{import}\n{}\n\n{lifecycle}", code(section, "js"))
    });
    let tests = include_str!("guide/filter.test.js");
    fs::write(dir.join("test/filter.test.js"), tests).unwrap();
    let test = author.command("npm").arg("test").current_dir(&dir).output();
    let test = test.unwrap();
    let said = String::from_utf8_lossy(&test.stdout);
    assert_eq!(test.status.code(), Some(0), "{said}");
    assert!(said.contains("mail is refused over IPv6 alone"), "{said}");
}

#[test]
fn the_filter_in_python_that_the_guide_shows_passes_tests() {
    if !there_is("python3") {
        return;
    }
    let section = section("In Python");
    let begins = "portcullis plugin new vendors --lang python\ncd vendors\npython3 -m unittest ";
    assert!(section.contains(begins), "{section}");
    let author = Author::new();
    let dir = author.begins(&["--lang", "python", "vendors"]);
    edit(&dir.join("app.py"), |template| {
        let lifecycle = kept(&template, "@dataclass\n", "class JudgeHost");
        let imports = "from dataclasses import dataclass, field\nfrom portcullis import settings";
        format!("{imports}\n{}\n\n\n{lifecycle}", code(section, "python"))
    });
    let tests = include_str!("guide/test_app.py");
    fs::write(dir.join("tests/test_app.py"), tests).unwrap();
    let mut test = author.command("python3");
    let test = test.args(["-m", "unittest"]).current_dir(&dir).output();
    let test = test.unwrap();
    assert_eq!(test.status.code(), Some(0), "{}", stderr(&test));
    assert!(stderr(&test).contains("Ran 15 tests"), "{}", stderr(&test));
}
