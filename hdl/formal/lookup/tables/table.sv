    logic [1:0] hit_right;
    always_comb begin
        // All places of a lookup known: a hit if and only if one of them has the key.
        for (int p = 0; p < 2; p++)
            hit_right[p] = !asked_6[p] || known_6[p*4 +: 4] != 15 || founds_valid[p] == |wanted_6[p*4 +: 4];
        hit__iff: assert (hit_right == 3);

        both_keys: cover (founds_valid == 3 && lives_6 == 8'h84 && known_6[7] && known_6[2] && keys_6[0 +: KEY] != keys_6[KEY +: KEY]);
    end
