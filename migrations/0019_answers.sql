-- What a program was answered to a request with a key, so that the same request sent again is answered the same, whatever has become
-- of it since.

alter table idempotency_keys
    add column answer jsonb,
    add constraint idempotency_keys_answer_size check (pg_column_size(answer) <= 65536);
grant update (answer) on idempotency_keys to bedside_app;
