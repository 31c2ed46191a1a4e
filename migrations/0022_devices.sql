-- Devices in a consultation: a camera or a screen that a program of the clinic lets in, by name. The same name in the same
-- encounter is the same device, so that one which starts again takes its own place and not another one.

alter table participants add column device_name text;

alter table participants
    drop constraint participants_role,
    add constraint participants_role check (
        (role = 'practitioner' and practitioner_id is not null and patient_id is null and device_name is null)
        or (role = 'patient' and patient_id is not null and practitioner_id is null and device_name is null)
        or (role = 'device' and device_name is not null and practitioner_id is null and patient_id is null)
    ),
    add constraint participants_device_name_length check (char_length(device_name) between 1 and 60);

alter table participants drop constraint participants_once;
create unique index participants_once on participants (encounter_id, role) where role <> 'device';
create unique index participants_device_once on participants (encounter_id, device_name) where role = 'device';
