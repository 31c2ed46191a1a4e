//! What the doctor says: a calm list, one line a finding, and what to do where something is not right.

use std::process::ExitCode;

/// What came of one check.
pub enum Finding {
    /// Everything is as it should be. More lines say more.
    Fine(Vec<String>),
    /// Something is wrong.
    Wrong {
        /// What.
        what: String,
        /// What to do.
        advice: String,
    },
    /// It could not be looked at.
    Unchecked(String),
}

impl Finding {
    /// All is well.
    pub fn fine(what: impl Into<String>) -> Self {
        Self::Fine(vec![what.into()])
    }

    /// Something is wrong, and this can be done.
    pub fn wrong(what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Wrong { what: what.into(), advice: advice.into() }
    }

    /// It could not be looked at, for this reason.
    pub fn unchecked(why: impl Into<String>) -> Self {
        Self::Unchecked(why.into())
    }
}

/// The list as it is printed.
pub struct Report {
    wrong: usize,
    unchecked: usize,
}

impl Report {
    /// Prints the first line.
    pub fn begins() -> Self {
        println!("Checking Bedside\n");
        Self { wrong: 0, unchecked: 0 }
    }

    /// Prints one finding; whether it is fine.
    pub fn finding(&mut self, name: &str, finding: Finding) -> bool {
        match finding {
            Finding::Fine(lines) => {
                print_lines("ok", name, &lines);
                true
            }
            Finding::Wrong { what, advice } => {
                self.wrong += 1;
                print_lines("not ok", name, &[what, advice]);
                false
            }
            Finding::Unchecked(why) => {
                self.unchecked += 1;
                print_lines("skipped", name, &[why]);
                false
            }
        }
    }

    /// Prints the finding of a check that makes sense only if `needed` is fine.
    pub async fn after(&mut self, is_fine: bool, name: &str, needed: &str, check: impl Future<Output = Finding>) {
        let finding = if is_fine { check.await } else { Finding::unchecked(format!("{needed} has to answer first")) };
        self.finding(name, finding);
    }

    /// Prints the last line; the exit status.
    pub fn ends(self) -> ExitCode {
        println!();
        match (self.wrong, self.unchecked) {
            (0, 0) => {
                println!("Everything works.");
                ExitCode::SUCCESS
            }
            (0, _) => {
                println!("Not everything could be checked.");
                ExitCode::FAILURE
            }
            (1, _) => {
                println!("One thing needs attention.");
                ExitCode::FAILURE
            }
            (count, _) => {
                println!("{count} things need attention.");
                ExitCode::FAILURE
            }
        }
    }
}

fn print_lines(verdict: &str, name: &str, lines: &[String]) {
    let mut lines = lines.iter();
    println!("  {verdict:<9}{name:<15}{}", lines.next().map_or("", String::as_str));
    for line in lines {
        println!("  {:<9}{:<15}{line}", "", "");
    }
}
