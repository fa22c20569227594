    // A key moves from one way to another: its row is written there, and some time later the old row is written over. Whatever else is
    // looked up, read and written meanwhile.
    (* anyconst *) logic [KEY-1:0] moved;
    (* anyconst *) logic [1:0] from, onto;
    (* anyseq *) logic begin_move;
    wire [WORD-1:0] from_word = words[from*WORD +: WORD];
    wire [WORD-1:0] next_onto_word = next_words[onto*WORD +: WORD];
    wire [ROW-1:0] from_row = rows[from*ROW +: ROW];
    wire [ROW-1:0] next_onto_row = next_rows[onto*ROW +: ROW];
    function automatic logic unmarked(input logic [ROW-1:0] data);
        unmarked = !data[PENDING] && !data[CLEARED];
    endfunction
    function automatic logic kept(input logic [1:0] at, input logic [4*WORD-1:0] all_words, input logic [4*ROW-1:0] all_rows);
        kept = (at == 0 || from != onto)
            && (at == 0 || at == 3 || (unmarked(all_rows[from*ROW +: ROW])
                && has(all_words[from*WORD +: WORD], all_rows[from*ROW +: ROW], moved)))
            && (at < 2 || (unmarked(all_rows[onto*ROW +: ROW]) && has(all_words[onto*WORD +: WORD], all_rows[onto*ROW +: ROW], moved)))
            && (at != 2 || all_rows[from*ROW + HIT +: HIT_BITS] == all_rows[onto*ROW + HIT +: HIT_BITS]);
    endfunction
    wire begins_move = begin_move && from != onto && !changes[from] && unmarked(from_row) && has(from_word, from_row, moved);
    wire arrives = changes[onto] && unmarked(next_onto_row) && has(next_onto_word, next_onto_row, moved)
        && next_onto_row[HIT +: HIT_BITS] == from_row[HIT +: HIT_BITS];
    logic [1:0] phase = 0, phase_2 = 0, phase_3 = 0, phase_4 = 0, phase_5 = 0, phase_6 = 0;
    always_ff @(posedge clock) begin
        case (phase)
            0: if (begins_move) phase <= 1;
            1: if (changes[from]) phase <= 0; else if (arrives) phase <= 2;
            2: if (changes[onto]) phase <= 0; else if (changes[from]) phase <= 3;
            3: if (changes[onto]) phase <= 0;
        endcase
        {phase_6, phase_5, phase_4, phase_3, phase_2} <= {phase_5, phase_4, phase_3, phase_2, phase};
    end
    wire [ROW-1:0] from_6 = rows_6[from*ROW +: ROW], onto_6 = rows_6[onto*ROW +: ROW];
    wire [ROW-1:0] kept_6 = phase_6 == 3 ? onto_6 : from_6;
    logic [1:0] others_6; // none of the other two ways has the key
    logic [1:0] alone_6; // nor one of the two that has no part in it yet, or no more
    logic [1:0] sought_6; // the lookup is for it
    logic move_found, move_same;
    always_comb begin
        help__kept: assert (kept(phase, words, rows) && kept(phase_2, words_2, rows_2) && kept(phase_3, words_3, rows_3)
            && kept(phase_4, words_4, rows_4) && kept(phase_5, words_5, rows_5) && kept(phase_6, words_6, rows_6));
        alone_6 = 3;
        others_6 = 3;
        for (int p = 0; p < 2; p++)
            for (int w = 0; w < 4; w++)
                if (!known_6[p*4 + w] || wanted_6[p*4 + w]) begin
                    if (w != from && w != onto) others_6[p] = 0;
                    if ((w != from || phase_6 == 3) && (w != onto || phase_6 == 1)) alone_6[p] = 0;
                end
        move_found = 1;
        move_same = 1;
        for (int p = 0; p < 2; p++) begin
            sought_6[p] = asked_6[p] && keys_6[p*KEY +: KEY] == moved && known_6[p*4 + from] && known_6[p*4 + onto];
            if (sought_6[p] && phase_6 != 0 && (phase_6 == 3 || tick_6 < from_6[UNTIL +: 44])
                && (phase_6 == 1 || tick_6 < onto_6[UNTIL +: 44])) begin
                if (!founds_valid[p]) move_found = 0;
                if (alone_6[p] && found_contents[p*HIT_BITS +: HIT_BITS] != kept_6[HIT +: HIT_BITS]) move_same = 0;
            end
        end
        move__found: assert (move_found);
        move__same: assert (move_same);
    end

    // The same in a batch: both rows are there, one marked as added, one as cleared. Which one is found is up to what the frame carries.
    wire batched = from != onto && has(words_6[from*WORD +: WORD], from_6, moved) && from_6[CLEARED] && !from_6[PENDING]
        && has(words_6[onto*WORD +: WORD], onto_6, moved) && onto_6[PENDING] && !onto_6[CLEARED]
        && tick_6 < from_6[UNTIL +: 44] && tick_6 < onto_6[UNTIL +: 44];
    logic batch_found, batch_side;
    always_comb begin
        batch_found = 1;
        batch_side = 1;
        for (int p = 0; p < 2; p++)
            if (sought_6[p] && batched) begin
                if (!founds_valid[p] || (lives_6[p*4 + from] && lives_6[p*4 + onto])) batch_found = 0;
                if (others_6[p] && found_contents[p*HIT_BITS +: HIT_BITS] != (committed_6 ? onto_6[HIT +: HIT_BITS] : from_6[HIT +: HIT_BITS]))
                    batch_side = 0;
            end
        batch__found: assert (batch_found);
        batch__side: assert (batch_side);
    end

    // All of it happens.
    logic [1:0] flips = 0; // hits of the moved key before and after a commit
    always_comb begin
        moved_on: cover (phase_6 == 3 && sought_6[1] && known_6[7:4] == 15 && founds_valid[1]);
        flipped: cover (flips == 3);
    end
    always_ff @(posedge clock)
        if (sought_6[0] && batched && others_6[0] && founds_valid[0])
            flips[committed_6] <= 1;
