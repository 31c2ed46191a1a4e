//! Two people can never hold the same slot.

use crate::support::{clinic::Clinic, page::Page};
use domain::Role;
use futures_util::future::join_all;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_who_book_the_same_time_one_wins_and_the_others_read_that_it_has_just_been_taken() {
    let clinic = Clinic::start().await;
    let receptionist = clinic.staff(Role::Receptionist).await;
    let patients = (0..50).map(|n| format!("Robin {}acer{}", letter(n / 26), letter(n % 26))).collect::<Vec<_>>();
    for patient in &patients {
        receptionist.adds_patient(patient, "14/03/1961").await;
    }
    let page = receptionist.chooses("Dr Hannah Osei").await;

    let racers = patients.iter().map(|patient| {
        let form = page.form("Book").expect("a form").with("Patient", patient).with("16:30", "");
        receptionist.submits(form, &page)
    });
    let pages = join_all(racers).await;

    let (won, lost): (Vec<Page>, Vec<Page>) = pages.into_iter().partition(|page| page.value_of("Visit link").is_some());
    assert_eq!(won.len(), 1);
    for page in lost {
        assert!(page.says("has just been taken"), "{}", page.text());
        let typed = page.value_of("Patient").expect("the form is still there");
        assert!(typed.starts_with("Robin "), "what was typed is kept, not {typed:?}");
    }
}

fn letter(number: u8) -> char {
    char::from(b'A' + number)
}
