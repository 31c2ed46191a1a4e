//! Who lives in the demo. All of them are invented.

use domain::Role;

/// A clinic of the demo.
pub(super) struct DemoClinic {
    /// Fixed, so that a second start finds it.
    pub(super) id: u128,
    pub(super) name: &'static str,
    /// Its public address.
    pub(super) slug: &'static str,
    pub(super) phone: &'static str,
    pub(super) visit_types: &'static [DemoVisitType],
    pub(super) practitioners: &'static [DemoPractitioner],
    pub(super) staff: &'static [DemoStaff],
    pub(super) patients: &'static [DemoPatient],
    pub(super) resources: &'static [DemoResource],
}

/// What may be booked.
pub(super) struct DemoVisitType {
    pub(super) name: &'static str,
    pub(super) minutes: i16,
    pub(super) buffer_after_minutes: i16,
    pub(super) min_notice_minutes: i32,
    pub(super) cancel_notice_minutes: i32,
    pub(super) is_public: bool,
}

/// Kind and name; between which languages, for an interpreter.
pub(super) type DemoResource = ([&'static str; 2], &'static [&'static str]);

/// A practitioner, with the account they sign in by and how many visits of theirs lie ahead.
pub(super) struct DemoPractitioner {
    /// Title, given name, family name, speciality.
    pub(super) words: [&'static str; 4],
    pub(super) email: &'static str,
    pub(super) password: &'static str,
    pub(super) visits: usize,
    /// BCP 47 tags.
    pub(super) languages: &'static [&'static str],
    /// Names of the clinic's visit types.
    pub(super) offers: &'static [&'static str],
}

/// Somebody at the desk.
pub(super) struct DemoStaff {
    pub(super) role: Role,
    pub(super) name: &'static str,
    pub(super) email: &'static str,
    pub(super) password: &'static str,
}

/// Name, date of birth, phone, e-mail.
pub(super) type DemoPatient = [&'static str; 4];

/// How early a patient may arrive in the demo, minutes: long before, so that every visit can be tried at once.
pub(super) const ARRIVE_EARLY_MINUTES: i32 = 240;

/// How late a patient may arrive in the demo, minutes.
pub(super) const ARRIVE_LATE_MINUTES: i32 = 60;

/// What every clinic of the demo offers, and its own visits are.
pub(super) const CONSULTATION: DemoVisitType = DemoVisitType {
    name: "Consultation",
    minutes: 30,
    buffer_after_minutes: 0,
    min_notice_minutes: 0,
    cancel_notice_minutes: 120,
    is_public: true,
};

const FOLLOW_UP: DemoVisitType = DemoVisitType {
    name: "Follow-up",
    minutes: 15,
    buffer_after_minutes: 0,
    min_notice_minutes: 0,
    cancel_notice_minutes: 120,
    is_public: false,
};

/// Both clinics: two, so that the wall between them can be tried.
pub(super) const CLINICS: [DemoClinic; 2] = [
    DemoClinic {
        id: 0x0de3_0000_0000_4000_8000_0000_0000_0001,
        name: "Riverside Family Clinic",
        slug: "riverside-family-clinic",
        phone: "+44 20 7946 0100",
        visit_types: &[
            CONSULTATION,
            FOLLOW_UP,
            DemoVisitType {
                name: "New patient",
                minutes: 45,
                buffer_after_minutes: 5,
                min_notice_minutes: 60,
                cancel_notice_minutes: 24 * 60,
                is_public: true,
            },
            DemoVisitType {
                name: "Skin check",
                minutes: 20,
                buffer_after_minutes: 0,
                min_notice_minutes: 0,
                cancel_notice_minutes: 120,
                is_public: true,
            },
        ],
        practitioners: &[
            DemoPractitioner {
                words: ["Dr", "Hannah", "Osei", "General practice"],
                email: "hannah.osei@riverside.example",
                password: "osei-meadow-lantern-27",
                visits: 4,
                languages: &["en", "fr"],
                offers: &["Consultation", "Follow-up", "New patient"],
            },
            DemoPractitioner {
                words: ["Dr", "Leon", "Marsh", "Dermatology"],
                email: "leon.marsh@riverside.example",
                password: "marsh-copper-harvest-58",
                visits: 3,
                languages: &["en", "de"],
                offers: &["Consultation", "Follow-up", "New patient", "Skin check"],
            },
        ],
        staff: &[
            DemoStaff {
                role: Role::Receptionist,
                name: "Amira Khan",
                email: "amira.khan@riverside.example",
                password: "khan-willow-morning-41",
            },
            DemoStaff {
                role: Role::Administrator,
                name: "Priya Nair",
                email: "priya.nair@riverside.example",
                password: "nair-granite-compass-93",
            },
        ],
        patients: &[
            ["Maria Santos", "1961-03-14", "+44 20 7946 0211", "maria.santos@patients.example"],
            ["Jonas Berg", "1988-11-02", "+44 20 7946 0212", "jonas.berg@patients.example"],
            ["Sofia Lindt", "1994-07-21", "+44 20 7946 0213", "sofia.lindt@patients.example"],
            ["Tomás Rey", "1975-01-30", "+44 20 7946 0214", "tomas.rey@patients.example"],
            ["Grace Obi", "2001-05-09", "+44 20 7946 0215", "grace.obi@patients.example"],
            ["Henry Walsh", "1947-12-18", "+44 20 7946 0216", "henry.walsh@patients.example"],
            ["Leila Haddad", "1983-09-27", "+44 20 7946 0217", "leila.haddad@patients.example"],
            ["Piotr Nowak", "1969-06-05", "+44 20 7946 0218", "piotr.nowak@patients.example"],
            ["Aisha Rahman", "1990-02-11", "+44 20 7946 0219", "aisha.rahman@patients.example"],
            ["Edith Clarke", "1938-08-23", "+44 20 7946 0220", "edith.clarke@patients.example"],
            ["Noah Petersen", "2012-10-16", "+44 20 7946 0221", "family.petersen@patients.example"],
            ["Chen Wei", "1979-04-03", "+44 20 7946 0222", "chen.wei@patients.example"],
        ],
        resources: &[
            (["interpreter", "Lucía Prado"], &["en", "es", "pt"]),
            (["interpreter", "Marek Zieliński"], &["en", "pl"]),
            (["room", "Video room 2"], &[]),
            (["device", "Dermatoscope"], &[]),
        ],
    },
    DemoClinic {
        id: 0x0de3_0000_0000_4000_8000_0000_0000_0002,
        name: "Harbour Clinic",
        slug: "harbour-clinic",
        phone: "+44 20 7946 0500",
        visit_types: &[CONSULTATION, FOLLOW_UP],
        practitioners: &[DemoPractitioner {
            words: ["Dr", "Elena", "Voss", "General practice"],
            email: "elena.voss@harbour.example",
            password: "voss-anchor-thimble-66",
            visits: 2,
            languages: &["en", "de", "es"],
            offers: &["Consultation", "Follow-up"],
        }],
        staff: &[DemoStaff {
            role: Role::Receptionist,
            name: "Samuel Adeyemi",
            email: "samuel.adeyemi@harbour.example",
            password: "adeyemi-pebble-sunrise-12",
        }],
        patients: &[
            ["Ruth Kessler", "1956-10-08", "+44 20 7946 0511", "ruth.kessler@patients.example"],
            ["Daniel Okafor", "1992-03-25", "+44 20 7946 0512", "daniel.okafor@patients.example"],
            ["Ines Moreau", "1986-12-01", "+44 20 7946 0513", "ines.moreau@patients.example"],
            ["Oskar Lund", "1971-07-14", "+44 20 7946 0514", "oskar.lund@patients.example"],
        ],
        resources: &[(["interpreter", "Ana Ribeiro"], &["en", "pt"])],
    },
];
