//! Settings from Python's policy objects, which describe themselves as dicts.

use lecmux_core::estimate::decay::DecayRule;
use lecmux_core::estimate::{CostRange, Estimator};
use lecmux_core::evict::Policy;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::error::{ConfigError, CoreError};

/// Reads `name` of a settings dict.
fn field<'py, T>(spec: &Bound<'py, PyDict>, name: &str) -> PyResult<T>
where
    T: for<'a> FromPyObject<'a, 'py>,
{
    let value = spec.get_item(name)?.ok_or_else(|| ConfigError::new_err(format!("{name} is missing")))?;
    value.extract().map_err(|_| ConfigError::new_err(format!("{name} has the wrong type: {value:?}")))
}

/// The eviction policy, its decay, and whether all residents are re-scored.
pub(crate) fn evict(spec: &Bound<'_, PyDict>) -> PyResult<(Policy, DecayRule, bool)> {
    let name: String = field(spec, "policy")?;
    let counts_for_ever = |policy| Ok((policy, DecayRule::None, false));
    match name.as_str() {
        "lec" => {
            let policy = Policy::Lec { bypass: field(spec, "bypass")? };
            Ok((policy, decay(spec)?, field(spec, "rescore")?))
        }
        "gdsf" => counts_for_ever(Policy::Gdsf {
            keep_counts: field(spec, "keep_counts")?,
            bypass: field(spec, "bypass")?,
        }),
        "lfu" => counts_for_ever(Policy::Lfu { bypass: field(spec, "bypass")? }),
        "given" => counts_for_ever(Policy::Given { bypass: field(spec, "bypass")? }),
        "lru" => counts_for_ever(Policy::Lru),
        "s3_fifo" => counts_for_ever(Policy::S3Fifo { small_share: field(spec, "small_share")? }),
        _ => Err(ConfigError::new_err(format!("no eviction policy is called {name:?}"))),
    }
}

fn decay(spec: &Bound<'_, PyDict>) -> PyResult<DecayRule> {
    match spec.get_item("decay")? {
        Some(rule) if rule.is_instance_of::<PyString>() => Ok(DecayRule::SelfTuned),
        Some(requests) if !requests.is_none() => Ok(DecayRule::HalfLife(requests.extract()?)),
        _ => Ok(DecayRule::None),
    }
}

/// The estimator.
pub(crate) fn estimator(spec: &Bound<'_, PyDict>) -> PyResult<Estimator> {
    let name: String = field(spec, "estimator")?;
    let estimator = match name.as_str() {
        "value_of_information" => Estimator::ValueOfInformation {
            z: field(spec, "z")?,
            s0: field(spec, "s0")?,
            forecast: field(spec, "forecast")?,
            least_share: field(spec, "least_share")?,
        },
        "pooled_variance" => Estimator::PooledVariance { z: field(spec, "z")?, s0: field(spec, "s0")? },
        "hoeffding" => Estimator::Hoeffding {
            delta: field(spec, "delta")?,
            horizon: field(spec, "horizon")?,
            queries: field(spec, "queries")?,
        },
        "empirical_bernstein" => Estimator::EmpiricalBernstein {
            delta: field(spec, "delta")?,
            horizon: field(spec, "horizon")?,
            queries: field(spec, "queries")?,
        },
        "sqrt_bonus" => Estimator::SqrtBonus { queries: field(spec, "queries")? },
        "plug_in" => Estimator::PlugIn,
        _ => return Err(ConfigError::new_err(format!("no estimator is called {name:?}"))),
    };
    Ok(estimator.validate().map_err(CoreError)?)
}

/// What costs can be.
pub(crate) fn range(floor: f64, ceiling: Option<f64>) -> PyResult<CostRange> {
    Ok(CostRange::new(floor, ceiling).map_err(CoreError)?)
}
