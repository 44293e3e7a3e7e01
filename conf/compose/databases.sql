-- The image makes the database apim and runs this when it makes its data.
CREATE DATABASE shared;
