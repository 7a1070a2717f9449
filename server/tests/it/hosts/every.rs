//! What holds of every code host that is asked, told once for each.

use super::{World, ages, any_order, bots, checks, landed, merging, remarks, submitting};
use domain::host::Host;
use sqlx::PgPool;

macro_rules! at_every_host {
    ($($of:ident::$story:ident),* $(,)?) => {
        at_every_host!(github: Host::GitHub, $($of::$story),*);
        at_every_host!(gitlab: Host::GitLab, $($of::$story),*);
        at_every_host!(gitea: Host::Gitea, $($of::$story),*);
    };
    ($name:ident: $host:expr, $($of:ident::$story:ident),*) => {
        mod $name {
            use super::*;
            use super::super as opened;

            $(
                #[sqlx::test(migrator = "store::MIGRATOR")]
                async fn $story(pool: PgPool) {
                    $of::$story(World::at(pool, $host).await).await;
                }
            )*
        }
    };
}

at_every_host! {
    opened::whatever_happens_to_it_there_is_so_here_after_a_look,
    opened::more_commits_than_fit_on_a_page_are_all_there,
    opened::a_host_that_fails_is_asked_again_and_one_that_wants_silence_gets_it,
    opened::a_patch_that_breaks_off_between_two_hunks_is_undecidable_until_it_is_whole,
    opened::a_look_that_began_before_the_one_that_is_recorded_is_dropped,
    opened::what_a_pull_request_says_of_itself_raises_what_is_asked_and_never_lowers_it,
    bots::a_label_makes_a_rule_apply_and_nobody_takes_that_off_again,
    merging::what_was_signed_off_stays_so_however_it_is_merged,
    merging::pushing_a_change_to_its_target_makes_nothing_of_it_less_than_it_was,
    merging::what_is_heard_of_after_it_was_merged_is_what_it_added,
    merging::a_change_became_what_the_host_says_and_nothing_that_a_pipeline_claims,
    landed::what_was_signed_off_ships_whichever_way_it_was_merged,
    landed::what_nobody_signed_off_does_not_ship_because_the_host_merged_it,
    landed::where_the_policy_asks_for_proof_the_word_of_the_host_lets_nothing_pass,
    checks::it_is_told_what_a_gate_would_answer_and_only_when_that_is_another,
    checks::what_ends_by_time_alone_is_told_when_it_ends,
    checks::a_head_that_two_changes_have_is_allowed_when_both_are,
    checks::nothing_is_lost_where_the_host_is_away_or_whoever_tells_it_dies,
    ages::how_long_ago_a_host_confirmed_a_change_is_said_wherever_it_is_read,
    ages::what_no_host_confirmed_for_longer_than_the_policy_allows_passes_after_the_next_walk,
    any_order::any_order_and_any_repetition_ends_in_what_the_host_shows,
    any_order::what_no_delivery_told_is_found_by_one_walk,
    any_order::an_operator_has_it_done_now_and_is_told_what_was_found,
    remarks::what_is_said_there_is_shown_and_counts_for_nothing,
    remarks::what_is_said_later_or_no_more_is_found_by_the_next_look_and_by_a_walk,
    remarks::a_host_that_does_not_tell_what_is_said_holds_up_nothing,
    submitting::who_submits_what_the_host_shows_adds_marks_and_contributors_and_nothing_else,
    submitting::what_was_submitted_before_the_host_was_asked_is_not_its_word,
    submitting::what_the_host_does_not_show_is_not_there,
}
