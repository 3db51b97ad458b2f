//! Credits a day: what someone may use, what they use, and whether a build fits into the rest.

use super::id::WorkspaceId;
use super::name::{UserName, WorkspaceName};

/// The largest allowance of a group, and the largest cost of a workspace, in credits a day.
pub const MAX_CREDITS: i64 = 1_000_000_000;

/// What someone uses in an organization, and may use, in credits a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// What their workspaces cost now.
    pub consumed: i64,
    /// The sum of their groups' allowances; none where no group of the organization has one: there
    /// nothing is limited.
    pub budget: Option<i64>,
}

/// A workspace that uses some of a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaUse {
    /// Which.
    pub workspace: WorkspaceId,
    /// Its name.
    pub name: WorkspaceName,
    /// Credits a day that it counts.
    pub cost: i64,
    /// Credits a day that it counts no more once it is stopped, as its version's import planned.
    pub freed_by_stop: i64,
}

/// A budget with what uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaView {
    /// Whose it is.
    pub owner: UserName,
    /// What is used, and may be.
    pub quota: Quota,
    /// What uses it, the dearest first, as far as whoever asks may see.
    pub uses: Vec<QuotaUse>,
}

/// A build that the budget has no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "over budget: this build costs {planned} credits a day, and {remaining} of {budget} remain. Stop or \
     delete another workspace, or ask for a larger allowance"
)]
pub struct OverBudget {
    /// What the build costs.
    pub planned: i64,
    /// What the owner's other workspaces leave of the budget.
    pub remaining: i64,
    /// The budget.
    pub budget: i64,
}

impl Quota {
    /// What is left of the budget; none where nothing is limited.
    #[must_use]
    pub fn remaining(self) -> Option<i64> {
        self.budget.map(|budget| (budget - self.consumed).max(0))
    }

    /// What a workspace that counts `held` now is to count from now on, when a build of it costs
    /// `planned`. Until the build has ended well it counts what it did: what is there stays there when
    /// the build fails. A build that costs no more than what is there always fits.
    ///
    /// # Errors
    /// When it does not fit.
    pub fn admit(self, held: i64, planned: i64) -> Result<i64, OverBudget> {
        if planned <= held {
            return Ok(held);
        }
        match self.budget {
            Some(budget) if self.consumed - held + planned > budget => {
                let remaining = (budget - self.consumed + held).max(0);
                Err(OverBudget { planned, remaining, budget })
            }
            Some(_) | None => Ok(planned),
        }
    }
}

/// A cost as it is counted: a template's own words, within bounds.
#[must_use]
pub fn bounded(cost: i64) -> i64 {
    cost.clamp(0, MAX_CREDITS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_lowers_the_cost_fits_also_over_budget() {
        let over = Quota { consumed: 12, budget: Some(5) };
        assert_eq!(over.remaining(), Some(0));
        assert_eq!(over.admit(4, 0), Ok(4));
        assert_eq!(over.admit(4, 4), Ok(4));
        assert_eq!(over.admit(4, 5), Err(OverBudget { planned: 5, remaining: 0, budget: 5 }));
        assert_eq!(over.admit(0, 0), Ok(0), "what costs nothing fits");
        let free = Quota { consumed: 12, budget: None };
        assert_eq!((free.remaining(), free.admit(0, 900)), (None, Ok(900)));
        let text = over.admit(4, 5).unwrap_err().to_string();
        assert!(text.starts_with("over budget: this build costs 5 credits a day, and 0 of 5"));
    }

    proptest! {
        #[test]
        fn no_order_of_builds_and_endings_exceeds_the_budget(
            budget in 0..40_i64,
            steps in proptest::collection::vec((0..6_usize, 0..12_i64, any::<bool>()), 0..80),
        ) {
            let mut held = [0_i64; 6];
            for (n, planned, good) in steps {
                let quota = Quota { consumed: held.iter().sum(), budget: Some(budget) };
                if let Ok(counts) = quota.admit(held[n], planned) {
                    prop_assert!(counts >= planned && counts >= held[n]);
                    held[n] = if good { planned } else { counts };
                }
                prop_assert!(held.iter().sum::<i64>() <= budget);
            }
        }
    }
}
