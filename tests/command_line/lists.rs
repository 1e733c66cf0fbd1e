//! `itocheck list`.

use super::{itocheck, names, outcome, printed};

/// The topics of `itocheck list`, and where their names stand in the schema.
const TOPICS: [(&str, &str); 7] = [
    ("objectives", "/properties/objective/oneOf"),
    ("noises", "/properties/agents/items/properties/noise/oneOf"),
    ("compressors", "/properties/agents/items/properties/compressor/oneOf"),
    ("optimizers", "/properties/optimizer/oneOf"),
    ("claims", "/properties/claims/items/oneOf"),
    ("mutants", "/properties/sde/properties/mutant/oneOf"),
    ("functions", "/properties/functions/items/oneOf"),
];

#[test]
fn lists_have_every_name_with_what_it_means() {
    let mut all = Vec::new();
    for (topic, pointer) in TOPICS {
        let text = printed(&["list", topic]);
        let lines: Vec<&str> = text.lines().collect();
        let is_name = |line: &str| line.starts_with("  ") && !line.starts_with("   ");
        let listed: Vec<&str> = lines.iter().filter(|line| is_name(line)).map(|line| line.trim()).collect();
        assert_eq!(listed, names(pointer), "{topic}");
        for pair in lines.windows(2).filter(|pair| is_name(pair[0])) {
            assert!(pair[1].starts_with("    ") && !pair[1].trim().is_empty(), "{pair:?}");
        }
        for line in lines {
            assert!(line.chars().count() <= 100 && !line.ends_with(' '), "{line}");
            assert!(!line.contains(['`', '\x1b']), "{line}");
        }
        all.push(text);
    }
    assert_eq!(printed(&["list"]), all.join("\n"));
    let noises = printed(&["list", "noises"]);
    for line in [
        "  student_t",
        "    g = ∇f_i(x) + (S/√B) t_ν with diagonal S",
        "      dof: number",
        "          ν, the",
    ] {
        assert!(noises.contains(&format!("\n{line}")), "{line} is not in\n{noises}");
    }
    // A table of which any name can be the key.
    assert!(printed(&["list", "compressors"]).contains("      first: { NAME = { .. } }\n"));
    let claims = printed(&["list", "claims"]);
    assert!(claims.contains("      margin: number, default 0.05\n"), "{claims}");
    assert!(claims.contains("      margin: { effect }, { absolute } or { constant }\n"), "{claims}");
    let (code, _, err) = outcome(itocheck().args(["list", "learners"]));
    assert!(code == 2 && err.contains("objectives, noises"), "{err}");
}
