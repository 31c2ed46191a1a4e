-- What makes the desk and the search for slots quick in a clinic of fifty practitioners.

-- The few messages that did not go out: refused for good, and put off. Those of which nothing was tried are in `outbox_due`.
create index outbox_failed on outbox (clinic_id, appointment_id) where state = 'failed';
create index outbox_put_off on outbox (clinic_id, due_at) where state = 'waiting' and attempts > 0;

-- The few patients whom no message can reach.
create index patients_without_address on patients (clinic_id, id) where email is null and phone is null;

-- With what a search reads of a reservation besides its start: it need not be looked up.
drop index reservations_by_start;
create index reservations_by_start on reservations (clinic_id, resource_kind, resource_id, starts_at) include (ends_at, hold_id) where active;

-- Who is in the waiting room now, among all visits of a practitioner; and the few reservations of interpreters, rooms and devices.
create index appointments_arrived on appointments (clinic_id, practitioner_id) where state = 'arrived';
create index reservations_besides on reservations (clinic_id, appointment_id) where resource_kind in ('interpreter', 'room', 'device');
