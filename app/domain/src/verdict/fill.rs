//! How many approvals are missing in one rule, when each can fill one place.

use crate::{
    policy::{Ask, Rule},
    standing::Voice,
};

/// The approvals that count as one: by somebody and by whoever stands in for them. Any of them may fill a place.
pub(super) type Seat<'a> = &'a [&'a Voice];

/// The approvals, one of each person, by whose place they fill.
pub(super) fn seats<'a>(approvals: &'a mut [&'a Voice]) -> Vec<Seat<'a>> {
    let is_someone_elses = |voice: &&Voice| voice.stands_in_for.is_some();
    if approvals.iter().any(is_someone_elses) {
        approvals.sort_by_key(|voice| voice.seat());
    }
    let approvals: &'a [&'a Voice] = approvals;
    approvals
        .chunk_by(|one, other| one.seat() == other.seat())
        .collect()
}

/// For each need of a rule, in their order, how many approvals it still lacks.
pub(super) fn lacking(rule: &Rule, approvals: &[Seat<'_>]) -> Vec<usize> {
    let one_is_enough = rule.same_person || rule.needs.len() == 1;
    if !one_is_enough {
        return by_different_people(&rule.needs, approvals);
    }
    let fits = |ask: &Ask| approvals.iter().filter(|seat| ask.takes(seat)).count();
    let lacks = |ask: &Ask| ask.approvals.saturating_sub(fits(ask));
    rule.needs.iter().map(lacks).collect()
}

/// Puts as many people as possible into places, each into one (augmenting paths). Who is asked for first is filled first:
/// which places stay empty then depends on the policy alone, never on the order of the approvals.
fn by_different_people(needs: &[Ask], approvals: &[Seat<'_>]) -> Vec<usize> {
    let mut places = Places {
        needs,
        approvals,
        taken_for: vec![None; approvals.len()],
    };
    let lacks = |(position, ask): (usize, &Ask)| {
        let mut filled = 0;
        while filled < ask.approvals && places.fill(position, &mut vec![false; approvals.len()]) {
            filled += 1;
        }
        ask.approvals - filled
    };
    needs.iter().enumerate().map(lacks).collect()
}

struct Places<'a> {
    needs: &'a [Ask],
    approvals: &'a [Seat<'a>],
    /// For each approval the need for which it counts.
    taken_for: Vec<Option<usize>>,
}

impl Places<'_> {
    /// Finds somebody for one more place of a need, also by giving another place to whoever has one.
    fn fill(&mut self, need: usize, tried: &mut [bool]) -> bool {
        for (at, seat) in self.approvals.iter().enumerate() {
            if tried[at] || !self.needs[need].takes(seat) {
                continue;
            }
            tried[at] = true;
            let is_free = match self.taken_for[at] {
                None => true,
                Some(other) => self.fill(other, tried),
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
    fn takes(&self, seat: Seat<'_>) -> bool {
        seat.iter().any(|voice| self.who.admits(&voice.held()))
    }
}
