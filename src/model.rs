//! What is compared: an optimizer and its SDE, and the run they are compared over.

use crate::agent::{Agents, Group, Scratch};
use crate::ensemble::{
    Directions, Domain, Expansion, Observables, OptimizerProcess, Projections, SdeProcess, TestFunction,
};
use crate::integrator::{SchemeName, drift_flow};
use crate::noise::SignLaw;
use crate::optimizer::{Optimizer, OptimizerParameters, Rule, Sampling};
use crate::parameter::Invalid;
use crate::random::Role;
use crate::sde::{Coefficients, Form, Sde};
use std::sync::Arc;

/// Runge–Kutta steps to each η for the flow of the drift.
const FLOW_SUBSTEPS: usize = 4;

/// A mean has an honest interval at small error rates where moments of at least this order are
/// finite (measured for second moments, which need ν ≥ 8 = 2 · 4).
const MOMENTS_FOR_AN_INTERVAL: f64 = 4.0;

/// An optimizer, its SDE, and the run.
#[derive(Clone)]
pub struct Model {
    /// The optimizer as scenarios name it; none of one that is given as code.
    pub named: Option<OptimizerParameters>,
    /// The optimizer.
    pub optimizer: Arc<dyn Optimizer>,
    /// The SDE that is said to track it.
    pub sde: Arc<dyn Sde>,
    /// How the SDE is written down.
    pub form: Form,
    /// The agents of both.
    pub agents: Arc<Agents>,
    /// The run.
    pub run: Run,
    /// Further, bounded test functions.
    pub bounded_functions: Vec<TestFunction>,
    /// Along which states are compared, where all coordinates are too many.
    pub directions: Option<Arc<Directions>>,
}

/// Over what the two are compared.
#[derive(Clone, Debug)]
pub struct Run {
    /// η.
    pub learning_rate: f64,
    /// K: the run ends at `t = Kη`.
    pub steps: usize,
    /// Record times besides t = 0.
    pub records: usize,
    /// The state at the start: `x_0`, and what the optimizer remembers besides it.
    pub start: Vec<f64>,
    /// Where both processes stop, if anywhere.
    pub domain: Option<Domain>,
    /// How the steps of the optimizer are drawn.
    pub sampling: Sampling,
    /// How the SDE is integrated.
    pub scheme: SchemeName,
    /// m: integrator steps to each η; the SDE is integrated with m and 2m.
    pub substeps: usize,
}

impl Run {
    /// Optimizer steps between record times.
    pub fn every(&self) -> usize {
        self.steps / self.records
    }

    /// The record times `kη`, t = 0 first.
    pub fn times(&self) -> Vec<f64> {
        (0..=self.records).map(|record| (record * self.every()) as f64 * self.learning_rate).collect()
    }
}

/// What linear shadows of both processes follow.
pub struct Expansions {
    /// Of the optimizer.
    pub optimizer: Expansion,
    /// Of the SDE with 2m and with m steps to each η.
    pub sde: [Expansion; 2],
}

impl Expansions {
    /// As the processes take them.
    pub fn of_both(&self) -> (Option<&Expansion>, Option<[&Expansion; 2]>) {
        (Some(&self.optimizer), Some(self.sde.each_ref()))
    }
}

/// Test functions that a run can test, and those it cannot.
pub struct Split {
    /// With moments of an order that sampling needs.
    pub tested: Vec<TestFunction>,
    /// Without.
    pub left_out: Vec<TestFunction>,
}

impl Model {
    /// Of the states: d, and more where the optimizer remembers more than the position.
    pub fn dimension(&self) -> usize {
        self.run.start.len()
    }

    /// The rule of the poster that the optimizer follows; none of another optimizer.
    pub fn rule(&self) -> Option<Rule> {
        self.named.as_ref().and_then(OptimizerParameters::rule)
    }

    /// Whether every step is bounded, whatever the gradient.
    pub fn has_bounded_steps(&self) -> bool {
        self.optimizer.degrees_of_freedom(0.0) == f64::INFINITY
    }

    /// Whether theory takes it for DSignSGD.
    pub fn takes_signs(&self) -> bool {
        self.rule() == Some(Rule::Dsignsgd)
    }

    /// Whether theory takes it for DCSGD.
    pub fn compresses(&self) -> bool {
        self.rule() == Some(Rule::Dcsgd)
    }

    /// An error unless it is an optimizer of the poster, whose theory `what` is.
    pub(crate) fn has_theory(&self, what: &str) -> Result<(), Invalid> {
        match self.rule() {
            Some(_) => Ok(()),
            None => Err(Invalid::new(
                "",
                format!(
                    "{what} of an optimizer that the poster has no theory of; expected dsgd, dcsgd or dsignsgd"
                ),
            )),
        }
    }

    /// Moments of the state of any lower order are finite, for optimizer and SDE.
    ///
    /// Heavy-tailed noise passes its degrees of freedom on wherever steps are not bounded. Compression
    /// of the gradient multiplies noise: the stationary law has a tail of `1 + 2N/(ηωL)` degrees of
    /// freedom, L the largest curvature. Noise that grows with the gradient does the same. Perm-k does not: its errors
    /// cancel over the agents. Friction γ puts `2γ` in place of 2; to leading order in η that is exact for second moments, and
    /// for others where the friction is large.
    pub fn tail_index(&self) -> f64 {
        if self.has_bounded_steps() {
            return f64::INFINITY;
        }
        let noise = self.agents.groups().iter().map(|group| group.noise.degrees_of_freedom());
        let noise = self.optimizer.degrees_of_freedom(noise.fold(f64::INFINITY, f64::min));
        let curvature = self.agents.objective().smoothness().unwrap_or(0.0);
        let damping = 2.0 * self.optimizer.friction();
        noise.min(1.0 + damping / (self.run.learning_rate * self.relative_variance() * curvature))
    }

    /// The largest r in `E‖ĝ − ∇f‖² = r‖∇f‖² + …`, for the direction ĝ of the optimizer and for the noise of its SDE:
    /// `((1 + ω)(1 + r_i) − 1)/N` of agents that compress on their own, r_i that of their gradient noise. Where they
    /// share a permutation every coordinate of ĝ is the gradient of one agent: its noise, and nothing of compression.
    pub(crate) fn relative_variance(&self) -> f64 {
        let together = self.agents.shared_block().is_some() && self.sde.knows_shared_compression();
        let of_group = |group: &Group| {
            let of_noise = group.noise.relative_variance();
            if together {
                of_noise
            } else {
                ((1.0 + group.compressor.omega()) * (1.0 + of_noise) - 1.0) / self.agents.count() as f64
            }
        };
        self.agents.groups().iter().map(of_group).fold(0.0, f64::max)
    }

    /// Whether the mean of a function that grows like `‖x‖^growth` can be sampled with an honest interval.
    pub fn can_sample(&self, growth: u32) -> bool {
        growth == 0 || self.tail_index() >= MOMENTS_FOR_AN_INTERVAL * f64::from(growth)
    }

    /// ηL where that is above 2, L the largest curvature of a quadratic f: then the optimizer is unstable, and its mean
    /// grows from step to step. None where that cannot be said, or steps are bounded.
    pub fn instability(&self) -> Option<f64> {
        let objective = self.agents.objective();
        let product = self.run.learning_rate * objective.smoothness()?;
        let grows = objective.is_quadratic()
            && matches!(self.rule(), Some(Rule::Dsgd | Rule::Dcsgd))
            && product > 2.0;
        grows.then_some(product)
    }

    /// How often, in expectation, one step at `x` draws the rarest of its discrete events: a sign against
    /// the gradient, or a coordinate kept or dropped by a compressor. At most 1 for each agent.
    pub fn rarest_event(&self, x: &[f64]) -> f64 {
        let signs = self.takes_signs();
        let of_step = self.optimizer.rarest_outcome(x);
        let x = &x[..self.agents.dimension()];
        let mut law = SignLaw::zero(x.len());
        let mut rarest = if of_step < 1.0 { of_step } else { f64::INFINITY };
        self.agents.for_each_group(x, &mut Scratch::default(), |_, group, mean_gradient| {
            let probability = if signs {
                group.noise.sign_law(x, mean_gradient, &mut law);
                law.rarest_outcome()
            } else {
                group.compressor.rarest_outcome(mean_gradient)
            };
            rarest = rarest.min(group.count as f64 * probability);
        });
        rarest
    }

    /// How often, in expectation, so many paths draw the rarest event of a step before the first record time.
    pub fn rarest_events(&self, paths: u64) -> f64 {
        self.rarest_event(&self.run.start) * self.run.every() as f64 * paths as f64
    }

    /// Roughly the operations, of about a nanosecond, of one step of the optimizer.
    pub fn optimizer_operations(&self) -> f64 {
        let d = self.dimension();
        let of_group =
            |group: &Group| group.count as f64 * (group.noise.operations(d) + group.compressor.operations(d));
        self.agents.objective().operations() + self.agents.groups().iter().map(of_group).sum::<f64>()
    }

    /// Roughly the operations of one step of the integrator.
    pub fn sde_operations(&self) -> f64 {
        let d = self.dimension();
        let mut coefficients = Coefficients::new(d);
        self.sde.coefficients(&self.run.start, &mut coefficients);
        let root = coefficients.diffusion.root_operations();
        let of_group = |group: &Group| group.noise.operations(d) + group.compressor.operations(d);
        let laws = self.agents.groups().iter().map(of_group).sum::<f64>();
        let evaluation = self.agents.objective().operations() + laws + root + 20.0 * d as f64;
        self.run.scheme.evaluations(d) as f64 * evaluation
    }

    /// All test functions.
    pub fn all_functions(&self) -> impl Iterator<Item = TestFunction> {
        let exit = self.run.domain.map(|_| TestFunction::Exit);
        let default = match &self.directions {
            None => Observables::default_functions(self.dimension()),
            Some(directions) => Observables::projected_functions(directions.count()),
        };
        let is_known = self.agents.objective().is_known();
        let default = default.into_iter().filter(move |function| is_known || *function != TestFunction::Loss);
        default.chain(self.bounded_functions.iter().cloned()).chain(exit)
    }

    /// All test functions, split by whether their moments can be sampled.
    pub fn functions(&self) -> Split {
        let loss_growth = self.agents.objective().growth();
        let (tested, left_out) =
            self.all_functions().partition(|function| self.can_sample(function.growth(loss_growth)));
        Split { tested, left_out }
    }

    /// `functions` along this run, with the flow of the drift of its SDE.
    pub fn observables(&self, functions: Vec<TestFunction>) -> Observables {
        self.observables_over(self.run.steps, self.run.every(), functions)
    }

    /// The same over the first `steps` steps, recorded after every `every` steps, a divisor of them.
    pub fn observables_over(&self, steps: usize, every: usize, functions: Vec<TestFunction>) -> Observables {
        let Run { learning_rate, ref start, .. } = self.run;
        let flow = drift_flow(&*self.sde, start, learning_rate, steps, every, FLOW_SUBSTEPS);
        let record_times = (0..flow.len()).map(|record| (record * every) as f64 * learning_rate).collect();
        let objective = Arc::clone(self.agents.objective());
        let along = |directions| Projections::new(Arc::clone(directions), &flow);
        let projections = self.directions.as_ref().map(along);
        Observables { functions, flow, record_times, eta: learning_rate, objective, projections }
    }

    /// What linear shadows of both processes follow; none where the optimizer declares no increments, where states are compared along
    /// directions, of which shadows know nothing, or where the expansions are not finite or take too much memory.
    pub fn expansions(&self) -> Option<Expansions> {
        if self.directions.is_some() {
            return None;
        }
        let steps = self.run.steps;
        let power = 3;
        let may_be_cubic = self.can_sample(power);
        let (optimizer, sde) =
            (self.optimizer_process(0, Role::Optimizer), self.sde_process(0, Role::Sde, 0));
        Some(Expansions {
            optimizer: optimizer.expand(steps, may_be_cubic)?,
            sde: sde.expand(steps, may_be_cubic)?,
        })
    }

    /// The optimizer as a process.
    pub fn optimizer_process(&self, seed: u64, role: Role) -> OptimizerProcess<'_> {
        let Run { ref start, domain, learning_rate, .. } = self.run;
        OptimizerProcess {
            optimizer: &*self.optimizer,
            start,
            domain,
            eta: learning_rate,
            seed,
            role,
            expansion: None,
        }
    }

    /// The SDE as a process; one block in `coarse_every` measures the integrator's bias, 0 for none.
    pub fn sde_process(&self, seed: u64, role: Role, coarse_every: u64) -> SdeProcess<'_> {
        let Run { ref start, domain, learning_rate, scheme, substeps, .. } = self.run;
        SdeProcess {
            sde: &*self.sde,
            start,
            domain,
            seed,
            role,
            eta: learning_rate,
            scheme,
            substeps,
            coarse_every,
            expansions: None,
        }
    }
}
