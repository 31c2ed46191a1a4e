-- Encounters of a day lie beside each other: the desk reads a thousand of them by the time and not each by its appointment.
create index encounters_started on encounters (clinic_id, started_at);
