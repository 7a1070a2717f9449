//! How many approvals are missing in one rule, when each can fill one place.

use crate::{
    policy::{Ask, Rule},
    standing::Voice,
};

/// For each need of a rule, in their order, how many approvals it still lacks. `approvals` holds one of each person.
pub(super) fn lacking(rule: &Rule, approvals: &[&Voice]) -> Vec<usize> {
    let one_is_enough = rule.same_person || rule.needs.len() == 1;
    if !one_is_enough {
        return by_different_people(&rule.needs, approvals);
    }
    let fits = |ask: &Ask| approvals.iter().filter(|voice| ask.takes(voice)).count();
    let lacks = |ask: &Ask| ask.approvals.saturating_sub(fits(ask));
    rule.needs.iter().map(lacks).collect()
}

/// Puts as many people as possible into places, each into one (augmenting paths). Who is asked for first is filled first:
/// which places stay empty then depends on the policy alone, never on the order of the approvals.
fn by_different_people(needs: &[Ask], approvals: &[&Voice]) -> Vec<usize> {
    let mut seats = Seats {
        needs,
        approvals,
        taken_for: vec![None; approvals.len()],
    };
    let lacks = |(position, ask): (usize, &Ask)| {
        let mut filled = 0;
        while filled < ask.approvals && seats.seat(position, &mut vec![false; approvals.len()]) {
            filled += 1;
        }
        ask.approvals - filled
    };
    needs.iter().enumerate().map(lacks).collect()
}

struct Seats<'a> {
    needs: &'a [Ask],
    approvals: &'a [&'a Voice],
    /// For each approval the need for which it counts.
    taken_for: Vec<Option<usize>>,
}

impl Seats<'_> {
    /// Finds somebody for one more place of a need, also by giving another place to whoever has one.
    fn seat(&mut self, need: usize, tried: &mut [bool]) -> bool {
        for (at, voice) in self.approvals.iter().enumerate() {
            if tried[at] || !self.needs[need].takes(voice) {
                continue;
            }
            tried[at] = true;
            let is_free = match self.taken_for[at] {
                None => true,
                Some(other) => self.seat(other, tried),
            };
            if is_free {
                self.taken_for[at] = Some(need);
                return true;
            }
        }
        false
    }
}

impl Ask {
    fn takes(&self, voice: &Voice) -> bool {
        self.who.admits(&voice.held())
    }
}
