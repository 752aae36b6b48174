//! All rules, in code order.

use super::rule::Rule;

/// Every diagnosis, one line a rule, in code order.
pub const RULES: &[&Rule] = &[];

/// The rule with this code.
pub fn of_code(code: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code == code)
}

/// The rule with this code or name, in any case.
pub fn explain_page(code_or_name: &str) -> Option<&'static Rule> {
    let wanted = code_or_name.trim();
    let matches = |rule: &&&Rule| rule.code.eq_ignore_ascii_case(wanted) || rule.name.eq_ignore_ascii_case(wanted);
    RULES.iter().find(matches).copied()
}
