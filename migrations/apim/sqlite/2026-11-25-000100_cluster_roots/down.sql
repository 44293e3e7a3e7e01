DROP TABLE cluster_roots;
