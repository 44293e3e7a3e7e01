DROP TABLE throttle_resets;
