//! One source, several instruction sets: loops over paths are compiled for each, and the widest that the machine has is
//! chosen at run time.
//!
//! The bits do not depend on the choice. Every operation is that of IEEE 754 on `f64`, in the order in which it stands in
//! the source; Rust neither reorders sums nor contracts `a·b + c`.

use std::sync::OnceLock;

/// A set of instructions that loops are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instructions {
    /// What every machine of the architecture has.
    Portable,
    /// Vectors of four numbers.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Vectors of eight numbers.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The environment variable that narrows the choice.
const LIMIT: &str = "ITOCHECK_INSTRUCTIONS";

/// The widest instructions of the machine, or fewer where the environment says so.
pub(crate) fn instructions() -> Instructions {
    static CHOICE: OnceLock<Instructions> = OnceLock::new();
    *CHOICE.get_or_init(|| choose(std::env::var(LIMIT).ok().as_deref()))
}

/// What is wrong with the choice of the environment, where something is.
pub(crate) fn refusal() -> Option<String> {
    let limit = std::env::var_os(LIMIT)?;
    let is_known = limit.to_str().is_some_and(is_known);
    (!is_known).then(|| {
        format!("{LIMIT} is {limit:?}; expected portable or avx2, or none for the widest of the machine")
    })
}

fn is_known(limit: &str) -> bool {
    matches!(limit, "portable" | "avx2")
}

#[cfg(target_arch = "x86_64")]
fn choose(limit: Option<&str>) -> Instructions {
    let has_avx512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw");
    match limit {
        Some("portable") => Instructions::Portable,
        None if has_avx512 => Instructions::Avx512,
        _ if is_x86_feature_detected!("avx2") => Instructions::Avx2,
        _ => Instructions::Portable,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn choose(_limit: Option<&str>) -> Instructions {
    Instructions::Portable
}

/// Defines functions whose bodies are compiled once for each set of [`Instructions`]; a call runs the widest. What the
/// body calls is compiled with it only where it is `#[inline(always)]`.
macro_rules! vectorized {
    ($($(#[$attribute:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $body:block)+) => {$(
        $(#[$attribute])*
        #[allow(clippy::too_many_arguments)]
        $visibility fn $name($($argument: $type),*) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn portable($($argument: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            #[allow(clippy::too_many_arguments)]
            fn avx2($($argument: $type),*) {
                portable($($argument),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw")]
            #[allow(clippy::too_many_arguments)]
            fn avx512($($argument: $type),*) {
                portable($($argument),*)
            }

            match $crate::simd::instructions() {
                $crate::simd::Instructions::Portable => portable($($argument),*),
                // SAFETY: the choice was made after the machine was asked for these features.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Instructions::Avx2 => unsafe { avx2($($argument),*) },
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Instructions::Avx512 => unsafe { avx512($($argument),*) },
            }
        }
    )+};
}

pub(crate) use vectorized;

/// Paths of which a loop over a strip is written out by the compiler: several vectors of them, whose chains of operations
/// a processor then has in flight at the same time. It pays where the chain is long and little else is to do.
const STRIP: usize = 32;

/// `out = f(a)`, entry by entry, strip by strip.
#[inline(always)]
pub(crate) fn map_strips(a: &[f64], out: &mut [f64], f: impl Fn(f64) -> f64) {
    let (strips, rest) = a.as_chunks::<STRIP>();
    let (out_strips, out_rest) = out.as_chunks_mut::<STRIP>();
    for (out, strip) in out_strips.iter_mut().zip(strips) {
        for (out, a) in out.iter_mut().zip(strip) {
            *out = f(*a);
        }
    }
    for (out, a) in out_rest.iter_mut().zip(rest) {
        *out = f(*a);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_narrows_the_choice() {
        assert_eq!(choose(Some("portable")), Instructions::Portable);
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx2 = is_x86_feature_detected!("avx2");
            let has_avx512 = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512bw");
            let narrowed = if has_avx2 { Instructions::Avx2 } else { Instructions::Portable };
            assert_eq!(choose(Some("avx2")), narrowed);
            assert_eq!(choose(None), if has_avx512 { Instructions::Avx512 } else { narrowed });
        }
        assert!(is_known("portable") && is_known("avx2") && !is_known("AVX2") && !is_known(""));
    }
}
