//! `bedside config`: the environment, as `docs/operations.md` holds it.

use service::config;

/// Prints the table.
pub fn print() {
    print!("{}", config::table());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_about_operations_holds_the_table_as_it_is() {
        let page = include_str!("../docs/operations.md");
        let table = config::table();
        assert!(page.contains(&table), "docs/operations.md is not fresh; its table should read:\n{table}");
    }
}
