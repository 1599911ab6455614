//! Files that mean harm to whoever shows their diagnostics.

use dataminer_schema::{
    diagnostic::{Code, Diagnostic, Severity},
    load::{SourceFile, load_fleet},
};

/// Files with quotes, escapes and markup in every place that a diagnostic repeats, and what is found in them.
pub(super) fn hostile() -> (Vec<SourceFile>, Vec<Diagnostic>) {
    let head = "apiVersion: dataminer.gitops/v1\nkind: Cluster\n";
    let texts = [
        (
            "./clusters/a b, c.yaml",
            format!(
                "{head}metadata: {{ name: lab, \"<&]]>'\\\"\\e[31m\\r\\n::error::x,y:100%\": 1 }}\nspec:\n  \
                 software: {{ core: 10.5 }}\n  agents:\n    - name: é\u{202e}値\n      address:\n        - 10.0.0.1\n        - 10.0.0.2\n"
            ),
        ),
        (
            "clusters/twice.yaml",
            format!(
                "{head}metadata: {{ name: twice }}\nspec:\n  software: {{ core: 10.5.12 }}\n  agents:\n    \
                 - {{ name: a, address: a }}\n    - {{ name: a, address: b }}\n  connection: {{ ssh: {{ user: x, identity: {{ env: X }}, password: hunter2 }} }}\n"
            ),
        ),
        (
            "good.yaml",
            format!(
                "{head}metadata: {{ name: good }}\nspec:\n  software: {{ core: 10.5.12 }}\n  agents: [ {{ name: a, address: c }} ]\n"
            ),
        ),
        ("latin.yaml", "\u{80}".to_owned()),
    ];
    let files: Vec<SourceFile> = texts
        .into_iter()
        .map(|(path, text)| SourceFile {
            path: path.to_owned(),
            bytes: if path == "latin.yaml" { vec![0xff, 0xfe] } else { text.into_bytes() },
        })
        .collect();
    let (_, mut diagnostics) = load_fleet(&files);
    // Nothing about the place alone warns yet in every release, so this one is made by hand.
    let mut warning =
        Diagnostic::of_file("good.yaml", Code::NotSupportedYet, "a warning\u{0}\u{ffff}", "<none>");
    warning.severity = Severity::Warning;
    diagnostics.push(warning);
    diagnostics.push(Diagnostic::of_file("link\u{1b}.yaml", Code::NotRead, "it is a symbolic link", "no"));
    for found in &diagnostics {
        assert!(!found.to_string().contains("hunter2"), "{found}");
    }
    (files, diagnostics)
}
