//! index.html: what it says, and what it does in a browser.
//!
//! Tests in a browser need Chromium. Where there is none they say so and pass; where
//! `ITOCHECK_NEED_CHROMIUM` is set, as in CI, they fail.

mod common;

use common::chromium::Chromium;
use itocheck::claim::{Progress, Verdict, judge};
use itocheck::report::html::{Entry, render};
use itocheck::report::plot::{Picture, draw};
use itocheck::report::{Outcome, Report};
use itocheck::scenario::{Overrides, check};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const SCENARIO: &str = r#"title = "Rand-1 of 2"
source = "Theorem 1"
optimizer = "dcsgd"
objective.quadratic = { eigenvalues = [0.5, 2.0] }
agents = [{ count = 2, noise.gaussian = { scale = 1.0 }, compressor.rand_k = { k = 1 } }]
run = { learning_rate = 0.01, steps = 20, records = 4, start = 0.3 }
monte_carlo = { seeds = 4096 }
claims = [{ trajectory = { margin = { effect = 0.3 } } }]
"#;

/// What would take the page over if it were not escaped; `URL` stands for an address.
const HOSTILE: &str = "<script>document.title='taken'</script>\"onload=\"document.title='taken'\" \
                       '><img src=URL onerror=document.title='taken'></pre></title></style>]]>javascript:alert(1)";

struct Silent;

impl Progress for Silent {
    fn announce(&self, _units: u64) {}
    fn tick(&self, _units: u64) {}
}

/// What stands behind an [`Entry`].
struct Case {
    report: Report,
    folder: String,
    text: String,
    figures: Vec<(String, String)>,
}

impl Case {
    /// A true scenario, judged.
    fn new(folder: &str) -> Self {
        Self::of(folder, SCENARIO)
    }

    /// The same, decided on exact expectations.
    fn exact(folder: &str) -> Self {
        Self::of(
            folder,
            &SCENARIO.replace("monte_carlo = { seeds = 4096 }\n", "").replace("effect", "absolute"),
        )
    }

    fn of(folder: &str, text: &str) -> Self {
        let loaded = check(format!("{folder}.toml").as_ref(), text.to_owned(), Overrides::default());
        let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
        let report = Report::new(&loaded, judge(&loaded.experiment, &Silent), 1.25, 2);
        let mut case = Self { report, folder: folder.to_owned(), text: text.to_owned(), figures: Vec::new() };
        case.draw();
        case
    }

    /// The same with a refuted trajectory.
    fn failed(folder: &str) -> Self {
        let mut case = Self::new(folder);
        case.report.claims[1].verdict = Verdict::Refuted;
        case.report.claims[1].as_expected = false;
        case.report.outcome = Outcome::Failed;
        case
    }

    /// The same with `text` wherever a scenario, its file or the machine can put it.
    fn saying(text: &str) -> Self {
        let mut case = Self::new(text);
        let Report { scenario, provenance, claims, moments, .. } = &mut case.report;
        scenario.title = text.to_owned();
        scenario.source = Some(text.to_owned());
        scenario.file = text.to_owned();
        provenance.cpu = text.to_owned();
        for claim in claims {
            claim.sentence = text.to_owned();
            claim.sampled_because = Some(text.to_owned());
            claim.left_out = vec![text.to_owned()];
            claim.assumes = vec![text.to_owned()];
            claim.worst.as_mut().unwrap().function = text.to_owned();
        }
        moments.as_mut().unwrap().functions[0] = text.to_owned();
        case.text = text.to_owned();
        case.draw();
        case
    }

    fn draw(&mut self) {
        let moments = self.report.moments.as_ref().unwrap();
        let images =
            draw(&Picture { title: &self.report.scenario.title, moments, golden: None, paths: None })
                .unwrap();
        let svg = images.into_iter().filter_map(|image| {
            Some((image.name.strip_suffix(".svg")?.to_owned(), String::from_utf8(image.bytes).unwrap()))
        });
        self.figures = svg.collect();
    }
}

fn page(cases: &[Case]) -> String {
    let entries: Vec<Entry> = cases
        .iter()
        .map(|Case { report, folder, text, figures }| Entry { report, folder, text, figures })
        .collect();
    String::from_utf8(render(&entries, None).unwrap()).unwrap()
}

/// The text between two others, the first time they occur.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("no {after:?} after {before:?}")).0
}

/// The page without its policy, so that a test may measure it by a script at its end.
fn measured_by(page: &str, script: &str) -> String {
    let policy = between(page, "<meta http-equiv=\"Content-Security-Policy\"", ">");
    page.replace(&format!("<meta http-equiv=\"Content-Security-Policy\"{policy}>"), "")
        .replace("</body>", &format!("<script>{script}</script></body>"))
}

#[test]
fn errors_stand_in_units_and_in_margins() {
    let mut case = Case::new("a");
    let worst = case.report.claims[1].worst.as_mut().unwrap();
    (worst.estimate, worst.margin, worst.interval) = (Some(0.25), 0.5, Some([-0.5, 0.4]));
    (worst.integration, worst.sampling, worst.time) = (Some(0.01234), Some(1e-7), 0.2);
    case.report.claims[1].detectable_gap = Some(0.75);
    let page = page(&[case]);
    let table = between(&page, "<table class=\"errors\">", "</table>");
    let row = table.rsplit_once("<tr>").unwrap().1;
    let cells = [
        "t = 0.200",
        ">0.500</td>",
        ">0.250 <small>0.500 margins</small></td>",
        ">0.0123 <small>0.0247 margins</small></td>",
        ">1.00e-7 <small>2.00e-7 margins</small></td>",
        ">[-1.00, 0.800]</td>",
    ];
    for cell in cells {
        assert!(row.contains(cell), "{cell} is not in {row}");
    }
    assert!(page.contains("1.50 <small>margins</small>"));
    // Coefficients need no solver.
    let coefficients = between(table, "<tr><th scope=\"row\">coefficients", "</tr>");
    assert!(coefficients.contains("<td class=\"number\">–</td>"), "{coefficients}");
}

#[test]
fn the_interval_is_made_of_the_three_errors() {
    let case = Case::new("a");
    for claim in &case.report.claims {
        let worst = claim.worst.as_ref().unwrap();
        let (estimate, sampling) = (worst.estimate.unwrap(), worst.sampling.unwrap());
        let half = worst.integration.unwrap_or(0.0) + sampling;
        let [low, high] = worst.interval.unwrap();
        // Rounding of a few sums of numbers no larger than the interval's limits.
        let rounding = 1e-13 * (low.abs() + high.abs());
        // The estimate is off the middle where block means are skew.
        assert!((high - low - 2.0 * half).abs() <= rounding && low < estimate && estimate < high);
        assert!(sampling > 0.0);
        assert_eq!(worst.integration.is_some(), claim.kind == "trajectory");
    }
    assert!(case.report.claims[1].worst.as_ref().unwrap().integration.unwrap() > 0.0);
}

#[test]
fn exact_claims_read_as_such() {
    let row = |page: &str| between(page, "<td>trajectory</td>", "</tr>").to_owned();
    let page_of = |case: Case| page(&[case]);
    let exact = page_of(Case::exact("a"));
    assert!(
        row(&exact).contains("<td class=\"number\">exact</td><td class=\"number\">–</td>"),
        "{}",
        row(&exact)
    );
    assert!(exact.contains("Assumes that numerical errors of exact expectations are within their bounds."));
    assert!(!exact.contains("Sampled, not decided") && !exact.contains("95 % confidence"));
    let sampled = page_of(Case::new("a"));
    assert!(
        row(&sampled).contains("<td class=\"number\">4096</td>") && row(&sampled).contains("margins</small>")
    );
    assert!(
        sampled
            .contains("Assumes that means of blocks are close to Gaussian; that the bias of the integrator")
    );
    assert!(sampled.contains("Sampled, not decided on exact expectations: [monte_carlo], --seeds"));
    assert!(sampled.contains("95 % confidence"));
    // Neither exact nor sampled: what was cut short has no number.
    let mut undecided = Case::new("a");
    undecided.report.claims[1].seeds = 0;
    assert!(row(&page_of(undecided)).contains("<td class=\"number\">–</td>"));
}

#[test]
fn gaps_have_a_panel_for_each_group_of_functions() {
    let gap = |case: &Case| case.figures.iter().find(|(name, _)| name == "gap").unwrap().1.clone();
    let panels = ["coordinates", "products", "fluctuations", "loss", "bounded, exit"]
        .map(|group| format!("{group} / margin"));
    let plain = gap(&Case::new("a"));
    let count = |svg: &str| panels.iter().filter(|panel| svg.contains(panel.as_str())).count();
    assert_eq!(count(&plain), 4);
    let functions = "functions = [{ cos = { coordinate = 0, scale = 0.1 } }]\nobjective";
    let bounded = gap(&Case::of("a", &SCENARIO.replace("objective", functions)));
    assert_eq!(count(&bounded), 5);
    // The place that is closest to breaking is named once.
    assert!(plain.contains("its interval reaches") && plain.matches("× margin").count() == 1);
}

#[test]
fn what_was_not_expected_comes_first() {
    let mut undecided = Case::failed("c");
    undecided.report.claims[1].verdict = Verdict::Inconclusive;
    undecided.report.outcome = Outcome::Inconclusive;
    let page = page(&[Case::new("a"), Case::failed("b"), undecided]);
    assert!(page.contains("2 of 6 claims did not come out as expected."), "{page}");
    assert!(page.contains("<title>3 scenarios: 1 passed, 1 failed, 1 inconclusive – itocheck</title>"));
    let rows: Vec<&str> =
        page.split("<tr data-outcome=\"").skip(1).map(|row| row.split('"').next().unwrap()).collect();
    assert_eq!(rows, ["failed", "inconclusive", "passed", "passed", "passed", "passed"]);
}

#[test]
fn figures_have_captions_for_people() {
    let mut case = Case::new("a");
    case.figures.push(("golden_curves".to_owned(), "<svg></svg>".to_owned()));
    let page = page(&[case]);
    let titles =
        ["Means", "Second moments", "Scaled fluctuations", "Loss", "Gap against its margin", "Golden curves"];
    for title in titles {
        assert!(page.contains(&format!("role=\"img\" aria-label=\"{title}: ")), "{title}");
        assert!(page.contains(&format!(".svg\">{title}</a>")), "{title}");
    }
}

#[test]
fn an_interrupted_run_says_so() {
    let mut case = Case::new("a");
    assert!(!page(&[Case::new("a")]).contains("nterrupted"));
    case.report.interrupted = true;
    let page = page(&[case]);
    assert!(page.contains("<strong>Interrupted.</strong>") && page.contains("<strong>interrupted</strong>"));
}

#[test]
fn paths_that_are_not_finite_and_functions_left_out_are_told() {
    let mut case = Case::new("a");
    case.report.non_finite.optimizer = 7;
    case.report.claims[1].left_out = vec!["x[0]".to_owned(), "loss".to_owned()];
    let page = page(&[case]);
    assert!(page.contains("Paths that were not finite: 7 of the optimizer, 0 of the SDE."));
    assert!(page.contains("Left out: 2") && page.contains("<code>x[0], loss</code>"));
}

#[test]
fn every_string_is_escaped() {
    let page = page(&[Case::saying(HOSTILE)]);
    assert_eq!(page.matches("<script").count(), 1);
    for (tag, count) in [("<img", 0), ("</pre>", 1), ("</title>", 1), ("</style>", 1)] {
        assert_eq!(page.matches(tag).count(), count, "{tag}");
    }
    assert!(!page.contains("\"onload="));
    assert!(!page.contains("href=\"javascript:"));
    // Of the folder: in two rows its name and the id of the section, and the id. Of the title: in two rows, the
    // heading and the label. Source, file (twice), processor and text. Five strings of each of two claims.
    let escaped = "&#60;script&#62;document.title=&#39;taken&#39;&#60;/script&#62;";
    let outside_figures: usize = page
        .split("<svg")
        .map(|part| part.rsplit_once("</svg>").map_or(part, |(_, rest)| rest).matches(escaped).count())
        .sum();
    assert_eq!(outside_figures, 5 + 4 + 5 + 2 * 5);
}

/// Relative luminance as WCAG 2.2 defines it.
fn luminance(color: &str) -> f64 {
    let channel = |index: usize| {
        let value = f64::from(u8::from_str_radix(&color[index..index + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[test]
fn text_stands_out_in_light_and_dark() {
    let page = page(&[]);
    let style = between(&page, "<style>", "</style>");
    let light = between(style, ":root {", "}");
    let dark = between(style, "(prefers-color-scheme: dark) {", "}\n}");
    for scheme in [light, dark] {
        let color = |name: &str| &between(scheme, &format!("--{name}: "), ";")[..7];
        for background in ["page", "card"] {
            for text in ["ink", "faint", "link", "good", "bad", "open"] {
                let (one, other) = (luminance(color(background)), luminance(color(text)));
                let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
                // AA of WCAG 2.2 for text of any size.
                assert!(contrast >= 4.5, "{text} on {background}: {contrast}");
            }
        }
    }
    // The negative control: orange of the figures is too light for text.
    assert!(1.05 / (luminance("#d55e00") + 0.05) < 4.5);
}

/// What the page says is shown, by its script.
fn shown(dom: &str) -> &str {
    between(dom, "<output id=\"shown\" for=\"filter outcome\">", "</output>")
}

/// The outcome of each row that is shown.
fn shown_rows(dom: &str) -> Vec<&str> {
    let body = between(dom, "<tbody>", "</tbody>");
    let rows = body.split("<tr ").skip(1).filter(|row| !row.split('>').next().unwrap().contains("hidden"));
    rows.map(|row| between(row, "data-outcome=\"", "\"")).collect()
}

/// Ids of the sections that are shown.
fn shown_sections(dom: &str) -> Vec<&str> {
    let sections = dom.split("<section class=\"scenario\" ").skip(1);
    sections
        .map(|section| section.split('>').next().unwrap())
        .filter(|tag| !tag.contains("hidden"))
        .map(|tag| between(tag, "id=\"", "\""))
        .collect()
}

#[test]
fn the_script_runs_under_the_policy_of_the_page() {
    let Some(chromium) = Chromium::find() else { return };
    let page = page(&[Case::new("a"), Case::failed("b")]);
    let dom = chromium.dom(&page, "");
    assert_eq!(shown(&dom), "4 of 4 claims shown");
    assert!(dom.contains("<search id=\"controls\">") && dom.contains(">Copy</button>"));
    // The negative control: a script that is not the one of the policy does not run, and the page is whole.
    let other = page.replace("\"use strict\";", "\"use strict\"; ");
    let dom = chromium.dom(&other, "#outcome=failed");
    assert_eq!(shown(&dom), "");
    assert!(dom.contains("<search id=\"controls\" hidden=\"\">") && shown_rows(&dom).len() == 4);
    // Neither does the style, of which the policy knows the hash as well.
    let measure = |page: &str| {
        let policy = between(page, "Content-Security-Policy\" content=\"", "\"");
        // Scripts of the test may run, and nothing else is changed.
        let script = between(policy, "script-src ", ";");
        let page = page.replace(script, "'unsafe-inline'").replace(
            "</body>",
            "<script>document.title = getComputedStyle(document.querySelector('.counts')).display</script></body>",
        );
        between(&chromium.dom(&page, ""), "<title>", "</title>").to_owned()
    };
    assert_eq!(measure(&page), "flex");
    assert_eq!(measure(&page.replace("color-scheme: light dark;", "color-scheme: light;")), "block");
}

#[test]
fn the_address_holds_the_filter() {
    let Some(chromium) = Chromium::find() else { return };
    let page = page(&[Case::new("one"), Case::failed("two"), Case::new("three four")]);
    let dom = chromium.dom(&page, "#filter=TRAJECTORY");
    assert_eq!((shown(&dom), shown_sections(&dom).len()), ("3 of 6 claims shown", 3));
    let dom = chromium.dom(&page, "#filter=COEFFICIENTS+two");
    assert_eq!(shown_rows(&dom), ["passed"]);
    assert_eq!(shown_sections(&dom), ["scenario-two"]);
    let dom = chromium.dom(&page, "#outcome=failed");
    assert_eq!((shown(&dom), shown_rows(&dom)), ("1 of 6 claims shown", vec!["failed"]));
    let dom = chromium.dom(&page, "#filter=coefficients&outcome=failed");
    assert_eq!((shown(&dom), shown_sections(&dom).len()), ("0 of 6 claims shown", 0));
    let dom = chromium.dom(&page, "#filter=&outcome=nonsense");
    assert_eq!(shown(&dom), "6 of 6 claims shown");
    // A filter that is typed gets into the address.
    let typed = measured_by(
        &page,
        "const box = document.getElementById('filter'); box.value = 'three four'; \
         box.dispatchEvent(new Event('input')); document.title = location.hash;",
    );
    let dom = chromium.dom(&typed, "");
    assert_eq!(between(&dom, "<title>", "</title>"), "#filter=three+four");
    assert_eq!(shown_sections(&dom), ["scenario-three four"]);
}

#[test]
fn the_fragment_of_a_scenario_opens_its_section() {
    let Some(chromium) = Chromium::find() else { return };
    let page = page(&[Case::new("one"), Case::failed("two"), Case::new("a <b> & 50%"), Case::new("z")]);
    // The link of the table leads to the section; then its top is at the top of the window.
    let follow = |stem: &str| {
        let script = format!(
            "const link = [...document.querySelectorAll('#verdicts tr')].find(row => row.querySelector('code')?.textContent \
             === {stem:?}).querySelector('a'); location.hash = link.getAttribute('href'); setTimeout(() => {{ \
             const section = document.querySelector(':target'); document.title = section.querySelector('details code, pre') \
             && section.id + ' at ' + Math.round(section.getBoundingClientRect().top); }}, 500);"
        );
        between(&chromium.dom(&measured_by(&page, &script), ""), "<title>", "</title>").to_owned()
    };
    assert_eq!(follow("two"), "scenario-two at 0");
    assert_eq!(follow("a <b> & 50%"), "scenario-a &lt;b&gt; &amp; 50% at 0");
    // A section that the filter hides is shown when its address is asked for.
    let script = "setTimeout(() => { location.hash = '#scenario-one'; }, 100)";
    let dom = chromium.dom(&measured_by(&page, script), "#outcome=failed");
    assert_eq!(shown(&dom), "8 of 8 claims shown");
}

#[test]
fn what_a_scenario_says_has_no_effect() {
    let Some(chromium) = Chromium::find() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    // Ends with the process; a caller who is not answered at all would wait for long.
    thread::spawn(move || listener.incoming().for_each(|_| _ = counted.fetch_add(1, Ordering::SeqCst)));
    let is_called = || calls.load(Ordering::SeqCst) > 0;
    let url = format!("http://{address}/");
    let hostile = HOSTILE.replace("URL", &url);
    let page = page(&[Case::saying(&hostile)]);
    let dom = chromium.dom(&page, "");
    let title = "<title>1 scenario: 1 passed, 0 failed, 0 inconclusive – itocheck</title>";
    assert!(dom.contains(title));
    assert_eq!(shown(&dom), "2 of 2 claims shown");
    assert!(!is_called());
    let addresses = |attribute: &str| -> Vec<String> {
        dom.split(attribute).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    assert_eq!(addresses(" src=\""), [""; 0]);
    let links = addresses(" href=\"");
    assert!(links.len() > 8 && links.iter().all(|link| link.starts_with('#') || link.starts_with("./")));
    // Were escaping to fail, the policy would still hold.
    let raw = page.replacen("<main>", &format!("<main>{hostile}"), 1);
    let dom = chromium.dom(&raw, "");
    assert!(dom.contains(title) && !is_called());
    // The negative control: without both the page is taken over, and calls.
    let dom = chromium.dom(&measured_by(&raw, ""), "");
    assert!(dom.contains("<title>taken</title>") && is_called());
}

#[test]
fn the_page_fits_400_pixels() {
    let Some(chromium) = Chromium::find() else { return };
    let long = Case::saying(&"W".repeat(200));
    // Sections that are not in view are laid out too, and none may hide what is too wide for it.
    let measure = "for (const section of document.querySelectorAll('section')) section.style.contentVisibility = 'visible'; \
                   for (const details of document.querySelectorAll('details')) details.open = true; \
                   addEventListener('load', () => { const page = document.documentElement; \
                   const wide = [page, ...document.querySelectorAll('section, header, main')] \
                   .filter(box => box.scrollWidth > box.clientWidth).map(box => box.tagName + box.scrollWidth); \
                   parent.postMessage(innerWidth + ':' + wide.join(), '*'); })";
    let measured = measured_by(&page(&[Case::new("a"), long]), measure);
    assert_eq!(chromium.message_of_frame(&measured, 400), "400:");
    // The negative control.
    let wide = measured.replacen("<h3>", "<h3><svg width=\"500\" height=\"1\"></svg>", 1);
    assert!(chromium.message_of_frame(&wide, 400).starts_with("400:HTML"));
}

#[test]
fn figures_are_white_cards_in_the_dark() {
    let Some(chromium) = Chromium::find() else { return };
    let mut case = Case::new("a");
    case.report.claims.truncate(1);
    let page = measured_by(&page(&[case]), "");
    let in_scheme = |query: &str| {
        let page = page.replace("(prefers-color-scheme: dark)", query);
        let image = chromium.screenshot(&page, 1000, 1600);
        let (corner, white) = (image.pixel(2, 2), image.share_of([255, 255, 255]));
        (corner, white)
    };
    assert_eq!(in_scheme("not all").0, [0xff, 0xff, 0xff]);
    let (corner, white) = in_scheme("all");
    assert_eq!(corner, [0x14, 0x18, 0x1c]);
    // One figure and more is in view, of a third of the picture or more; a figure is mostly white.
    assert!((0.1..0.9).contains(&white), "{white}");
    let without_cards = page.replace("fill=\"#FFFFFF\"", "fill=\"none\"").replace("background: #ffffff", "");
    let image =
        chromium.screenshot(&without_cards.replace("(prefers-color-scheme: dark)", "all"), 1000, 1600);
    assert!(image.share_of([255, 255, 255]) < 0.1);
}
