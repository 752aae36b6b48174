//! Builders of observations for tests of the rules.
