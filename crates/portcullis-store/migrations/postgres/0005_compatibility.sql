-- The earliest version of the schema whose program can work with this one; where nothing is said, only a program that knows the version itself.

ALTER TABLE _sqlx_migrations ADD COLUMN compatible_from BIGINT;
