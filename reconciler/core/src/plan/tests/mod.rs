mod around;
mod direction;
mod golden;
mod invariants;
mod paths;
mod web;
