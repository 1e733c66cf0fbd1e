//! Agents of which each has something wrong.

use super::Misfit;
use super::noise::Stretched;
use crate::agent::{Agents, Group};
use std::sync::Arc;

/// The agents after `change` was made to every group.
pub(super) fn changed(
    agents: &Agents,
    mut change: impl FnMut(&mut Group) -> Result<(), Misfit>,
) -> Result<Arc<Agents>, Misfit> {
    let mut groups = agents.groups().to_vec();
    groups.iter_mut().try_for_each(&mut change)?;
    Ok(Arc::new(Agents::new(Arc::clone(agents.objective()), groups)))
}

/// Every agent with the noise of one sample in place of its batch.
pub(super) fn without_batches(agents: &Agents) -> Result<Arc<Agents>, Misfit> {
    if agents.groups().iter().all(|group| group.one_sample.is_none()) {
        return Misfit::equivalent("B = 1");
    }
    changed(agents, |group| {
        if let Some(one_sample) = group.one_sample.take() {
            group.noise = one_sample;
        }
        Ok(())
    })
}

/// Every agent with noise whose scale S is its standard deviation: `S √((ν − 2)/ν) t_ν`.
pub(super) fn of_unit_deviation(agents: &Agents) -> Result<Arc<Agents>, Misfit> {
    let dof = |group: &Group| group.noise.degrees_of_freedom();
    if agents.groups().iter().all(|group| dof(group) == f64::INFINITY) {
        return Misfit::equivalent("no noise is Student-t with ν < ∞");
    }
    if agents.groups().iter().any(|group| dof(group) <= 2.0) {
        return Misfit::inapplicable("t_ν with ν ≤ 2 has no standard deviation");
    }
    changed(agents, |group| {
        let dof = dof(group);
        if dof < f64::INFINITY {
            let factor = ((dof - 2.0) / dof).sqrt();
            group.noise = Arc::new(Stretched::new(&group.noise, factor));
        }
        Ok(())
    })
}

/// Every agent with the mean gradient ∇f in place of its own ∇f_i.
pub(super) fn alike(agents: &Agents) -> Result<Arc<Agents>, Misfit> {
    changed(agents, |group| {
        group.gradient_offset = None;
        Ok(())
    })
}

/// Every agent with its mean gradient in place of a draw.
pub(super) fn without_noise(agents: &Agents) -> Result<Arc<Agents>, Misfit> {
    changed(agents, |group| {
        group.noise = Arc::new(Stretched::new(&group.noise, 0.0));
        Ok(())
    })
}
