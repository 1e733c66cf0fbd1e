//! `itocheck::verify`: optimizers and SDEs given as code.

use itocheck::covariance::Covariance;
use itocheck::random::Stream;
use itocheck::verify::{Argument, BoundedFunction, Finding, Margin, Moments, Verification};
use itocheck::{Optimizer, Sde, verify};
use std::panic::{AssertUnwindSafe, catch_unwind};

const ETA: f64 = 0.01;

/// SGD on `x²/2` with noise that is Gaussian, or t with so many degrees of freedom.
#[derive(Clone)]
struct Sgd {
    dof: f64,
    declared: Option<f64>,
}

const PLAIN: Sgd = Sgd { dof: f64::INFINITY, declared: None };

impl Optimizer for Sgd {
    fn step(&self, x: &mut [f64], random: &mut Stream) {
        let noise = if self.dof == f64::INFINITY { random.normal() } else { random.student_t(self.dof) };
        x[0] -= ETA * (x[0] + noise);
    }

    fn moments(&self, x: &[f64]) -> Option<Moments> {
        let variance = self.declared?;
        let mut covariance = Covariance::zero(1);
        covariance.add_diagonal([ETA * ETA * variance]);
        Some(Moments { mean: vec![-ETA * x[0]], covariance })
    }

    fn degrees_of_freedom(&self) -> f64 {
        self.dof
    }
}

#[derive(Clone)]
struct SgdSde {
    variance: f64,
}

impl Sde for SgdSde {
    fn drift(&self, x: &[f64], drift: &mut [f64]) {
        drift[0] = -x[0];
    }

    fn diffusion(&self, _x: &[f64], diffusion: &mut Covariance) {
        diffusion.add_diagonal([ETA * self.variance]);
    }
}

const RIGHT: SgdSde = SgdSde { variance: 1.0 };

fn against<O: Optimizer>(optimizer: &O, sde: &SgdSde) -> Verification<O, SgdSde> {
    verify(optimizer, sde).learning_rate(ETA).steps(100).start(&[0.5])
}

fn panics(act: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("it should panic");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

fn finding(verdicts: &itocheck::verify::Verdicts, kind: &str) -> Finding {
    verdicts.of(kind).expect("a finding").clone()
}

#[test]
fn assertions_hold_for_what_they_say_and_fail_for_the_opposite() {
    against(&PLAIN, &RIGHT).assert_upheld();
    let wrong = SgdSde { variance: 1.3 };
    against(&PLAIN, &wrong).assert_refuted();
    let message = panics(|| against(&PLAIN, &wrong).assert_upheld());
    assert!(message.contains("trajectory refuted") && message.contains("diffusion[0][0]"), "{message}");
    let message = panics(|| against(&PLAIN, &RIGHT).assert_refuted());
    assert!(message.contains("trajectory upheld"), "{message}");
}

/// A diffusion that is not a number is no negative control, though it is refuted.
#[test]
fn a_broken_sde_is_not_taken_for_a_wrong_one() {
    /// Not a number where paths seldom come by.
    #[derive(Clone)]
    struct Torn;

    impl Sde for Torn {
        fn drift(&self, x: &[f64], drift: &mut [f64]) {
            drift[0] = if x[0] < 0.55 { -x[0] } else { f64::NAN };
        }

        fn diffusion(&self, x: &[f64], diffusion: &mut Covariance) {
            RIGHT.diffusion(x, diffusion);
        }
    }

    let broken = || {
        let verification = verify(&PLAIN, &Torn).learning_rate(ETA).steps(100).start(&[0.5]);
        verification.margin(Margin::Absolute(0.1)).max_seeds(4096)
    };
    assert_eq!(finding(&broken().verdicts().unwrap(), "trajectory").verdict.to_string(), "refuted");
    let message = panics(|| broken().assert_refuted());
    assert!(message.contains("diverged"), "{message}");
}

#[test]
fn what_is_not_decided_is_neither_upheld_nor_refuted() {
    let few = || against(&PLAIN, &RIGHT).margin(Margin::Effect(0.001)).max_seeds(4096);
    for message in [panics(|| few().assert_upheld()), panics(|| few().assert_refuted())] {
        assert!(message.contains("trajectory inconclusive"), "{message}");
    }
}

/// Declared moments are the opt-in for shadows, and named among what the verdict assumes; wrong ones are noticed by the gates, or the
/// verdict without them is the same.
#[test]
fn shadows_follow_declared_moments_only() {
    let assumes = |declared: Option<f64>| {
        let verdicts = against(&Sgd { declared, ..PLAIN }, &RIGHT).verdicts().unwrap();
        finding(&verdicts, "trajectory").assumes
    };
    assert!(!assumes(None).contains(&"declared_moments".to_owned()));
    assert!(assumes(Some(1.0)).contains(&"declared_moments".to_owned()));
    // A covariance that is twice what it is: no verdict rests on it.
    let verdicts = against(&Sgd { declared: Some(2.0), ..PLAIN }, &RIGHT).verdicts().unwrap();
    let finding = finding(&verdicts, "trajectory");
    assert_ne!(finding.verdict.to_string(), "refuted", "{}", finding.sentence);
}

/// The same seed gives the same verdict, number by number.
#[test]
fn verdicts_follow_from_the_seed() {
    let run = |seed| against(&PLAIN, &RIGHT).seed(seed).verdicts().unwrap().to_string();
    assert_eq!(run(1), run(1));
}

#[test]
fn heavy_tails_leave_bounded_functions() {
    let heavy = Sgd { dof: 3.0, declared: None };
    let bounded = BoundedFunction::Tanh(Argument { coordinate: 0, scale: 0.2 });
    let refused = against(&heavy, &SgdSde { variance: 3.0 }).verdicts().unwrap_err();
    assert!(refused.to_string().starts_with("functions: none whose moments can be sampled"), "{refused}");
    against(&heavy, &SgdSde { variance: 3.0 }).function(bounded).assert_upheld();
}

/// Signs that are hardly ever against the gradient: few draws show none, and a verdict says that it takes them for negligible.
#[test]
fn rare_outcomes_are_spoken_of() {
    /// The sign is wrong once in ten million steps.
    #[derive(Clone)]
    struct Sign;

    impl Optimizer for Sign {
        fn step(&self, x: &mut [f64], random: &mut Stream) {
            let is_wrong = random.uniform() < 1e-7;
            x[0] -= ETA * if is_wrong { -1.0 } else { 1.0 };
        }

        fn rarest_outcome(&self, _x: &[f64]) -> f64 {
            1e-7
        }
    }

    #[derive(Clone)]
    struct SignSde;

    impl Sde for SignSde {
        fn drift(&self, _x: &[f64], drift: &mut [f64]) {
            drift[0] = -1.0;
        }

        fn diffusion(&self, _x: &[f64], diffusion: &mut Covariance) {
            diffusion.add_diagonal([4e-7 * ETA]);
        }
    }

    let verification = verify(&Sign, &SignSde).learning_rate(ETA).steps(100).start(&[1.0]).max_seeds(4096);
    let verdicts = verification.margin(Margin::Absolute(0.5)).verdicts().unwrap();
    assert_eq!(finding(&verdicts, "coefficients").verdict.to_string(), "inconclusive", "{verdicts}");
    let assumes = finding(&verdicts, "trajectory").assumes;
    assert!(assumes.contains(&"rare_events_negligible".to_owned()), "{assumes:?}");
    let of_a_density = against(&PLAIN, &RIGHT).verdicts().unwrap();
    let assumes = finding(&of_a_density, "trajectory").assumes;
    assert!(!assumes.contains(&"rare_events_negligible".to_owned()), "{assumes:?}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refusal = |verification: Verification<Sgd, SgdSde>| verification.verdicts().unwrap_err().to_string();
    let given = || against(&PLAIN, &RIGHT);
    let refusals = [
        refusal(verify(&PLAIN, &RIGHT)),
        refusal(given().learning_rate(0.0)),
        refusal(given().steps(0)),
        refusal(given().records(7)),
        refusal(given().start(&[])),
        refusal(given().start(&[f64::NAN])),
        refusal(given().margin(Margin::Effect(0.0))),
        refusal(given().margin(Margin::Absolute(f64::NAN))),
        refusal(given().error_rate(0.5)),
        refusal(given().max_seeds(3)),
        refusal(given().substeps(0)),
        refusal(given().stopped_beyond(0.01)),
        refusal(given().function(BoundedFunction::Cos(Argument { coordinate: 1, scale: 1.0 }))),
        refusal(given().steps(100_000_000).records(100)),
        refusal(given().margin_of_coefficients(0.0)),
        refusal(verify(&PLAIN, &SgdSde { variance: 0.0 }).learning_rate(ETA).steps(100).start(&[0.1])),
    ];
    insta::assert_snapshot!(refusals.join("\n"));
}

/// What an SDE in two dimensions, or the moments of a step, may be wrong by.
#[derive(Clone)]
struct Broken {
    drift: fn(&[f64], &mut [f64]),
    diffusion: fn(&[f64], &mut Covariance),
    moments: Option<fn() -> Moments>,
}

/// Nothing is wrong with it.
const WHOLE: Broken = Broken {
    drift: |x, drift| drift.copy_from_slice(&[-x[0], -x[1]]),
    diffusion: |_, diffusion| diffusion.add_dense(|i, j| if i == j { 2.0 * ETA } else { ETA }),
    moments: None,
};

impl Optimizer for Broken {
    fn step(&self, x: &mut [f64], random: &mut Stream) {
        let common = random.normal();
        x.iter_mut().for_each(|x| *x -= ETA * (*x + common + random.normal()));
    }

    fn moments(&self, _x: &[f64]) -> Option<Moments> {
        self.moments.map(|moments| moments())
    }
}

impl Sde for Broken {
    fn drift(&self, x: &[f64], drift: &mut [f64]) {
        (self.drift)(x, drift);
    }

    fn diffusion(&self, x: &[f64], diffusion: &mut Covariance) {
        (self.diffusion)(x, diffusion);
    }
}

#[test]
fn what_is_no_drift_and_no_covariance_is_named_where_it_is_seen() {
    let outcome =
        |broken: &Broken| verify(broken, broken).learning_rate(ETA).steps(100).start(&[0.5, 0.25]).verdicts();
    // Rounding is no asymmetry, and no negative eigenvalue.
    let rounded = |_: &[f64], diffusion: &mut Covariance| {
        diffusion.add_dense(|i, j| if (i, j) == (0, 1) { ETA * (1.0 - 4.0 * f64::EPSILON) } else { ETA });
    };
    for whole in [WHOLE, Broken { diffusion: rounded, ..WHOLE }] {
        outcome(&whole).unwrap();
    }
    let wrong: [Broken; 11] = [
        Broken { drift: |_, drift| drift[1] = f64::NAN, ..WHOLE },
        // Only where the path comes by later.
        Broken { drift: |x, drift| drift[0] = -1.0 / (x[0] - 0.499_999).max(0.0), ..WHOLE },
        Broken { diffusion: |_, diffusion| diffusion.add_diagonal([f64::INFINITY, 1.0]), ..WHOLE },
        Broken { diffusion: |_, diffusion| diffusion.add_diagonal([1.0, -0.5]), ..WHOLE },
        Broken { diffusion: |_, diffusion| diffusion.add_rank_one(f64::NAN, &[1.0, 1.0]), ..WHOLE },
        Broken { diffusion: |_, diffusion| diffusion.add_rank_one(-1.0, &[1.0, 0.0]), ..WHOLE },
        Broken {
            diffusion: |_, diffusion| diffusion.add_dense(|i, j| (1 + i.saturating_sub(j)) as f64),
            ..WHOLE
        },
        Broken {
            diffusion: |_, diffusion| diffusion.add_dense(|i, j| if i == j { 1.0 } else { 1.5 }),
            ..WHOLE
        },
        Broken {
            moments: Some(|| Moments { mean: vec![f64::NAN, 0.0], covariance: Covariance::zero(2) }),
            ..WHOLE
        },
        Broken { moments: Some(|| Moments { mean: vec![0.0; 3], covariance: Covariance::zero(2) }), ..WHOLE },
        Broken { moments: Some(|| Moments { mean: vec![0.0; 2], covariance: Covariance::zero(1) }), ..WHOLE },
    ];
    let refusals = wrong.iter().map(|broken| outcome(broken).unwrap_err().to_string());
    insta::assert_snapshot!(refusals.collect::<Vec<_>>().join("\n"));
}

#[test]
fn covariances_say_how_many_entries_they_take() {
    let told = [
        panics(|| Covariance::zero(2).add_diagonal([1.0])),
        panics(|| Covariance::zero(2).add_diagonal([1.0; 3])),
        panics(|| Covariance::zero(2).add_rank_one(1.0, &[1.0])),
    ];
    for told in told {
        assert!(told.contains("the covariance takes so many: 2"), "{told}");
    }
}
