-- A day's interpreters, rooms and devices are read by its time: few visits have any, and asking for each of a thousand costs more.

create index reservations_besides_by_start on reservations (clinic_id, starts_at)
    where resource_kind in ('interpreter', 'room', 'device');
