//! The black-box suites, one module each.

mod catalog;
mod chart;
mod ci;
mod cli;
mod desk;
mod dockerfile;
mod e2e;
mod e2e_downgrade;
mod e2e_faults;
mod e2e_kill;
mod forgotten;
mod fuzz;
mod operator;
mod ownership;
mod process;
mod readme;
mod scene;
mod source_ssh;
mod validate;
mod wine_agent;
mod wine_corpus;
mod wine_driver;
mod wine_e2e;
mod wine_jobs;
mod wine_restore;
mod wine_stand;
