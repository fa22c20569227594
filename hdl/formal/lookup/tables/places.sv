    // One place of each way is chosen freely, and what the ports say about it is kept beside the memories. Row numbers are any function
    // of the key at all, so these four places stand for all rows that a lookup can read.
    localparam KEY = $bits(key_0);
    localparam WORD = $bits(write_word);
    localparam PLACE = $bits(row);
    localparam ROW = 72;
    localparam VALID = RowData__valid__lsb;
    localparam PENDING = RowData__pending__lsb;
    localparam CLEARED = RowData__pending_clear__lsb;
    localparam UNTIL = RowData__not_after__lsb;
    localparam HIT = RowData__ring__lsb; // ring, scope and index, side by side
    localparam HIT_BITS = RowData__ring__bits + RowData__scope__bits + RowData__match_index__bits;
    (* anyconst *) logic [4*PLACE-1:0] places;
    logic [4*WORD-1:0] words, next_words;
    logic [4*ROW-1:0] rows, next_rows;
    wire [3:0] swept = {back_3_dirty, back_2_dirty, back_1_dirty, back_0_dirty};
    wire [3:0] emptied = {back_3_gone, back_2_gone, back_1_gone, back_0_gone};
    wire [4*ROW-1:0] swept_rows = {back_3_row, back_2_row, back_1_row, back_0_row};
    logic [3:0] changes;
    always_comb begin
        next_words = words;
        next_rows = rows;
        changes = 0;
        for (int w = 0; w < 4; w++)
            if (row == places[w*PLACE +: PLACE]) begin
                if (write_ways[w] || (write_back && swept[w])) begin
                    changes[w] = 1;
                    next_rows[w*ROW +: ROW] = write_back ? swept_rows[w*ROW +: ROW] : write_row;
                end
                if ((write_ways[w] && write_keys) || (write_back && emptied[w])) begin
                    changes[w] = 1;
                    next_words[w*WORD +: WORD] = write_word;
                end
            end
    end
    always_ff @(posedge clock) begin
        words <= next_words;
        rows <= next_rows;
    end

    // What the table asks of the engine; `path` proves that it gets it.
    always_comb begin
        assume (entered_q == 0 || (!read && write_ways == 0 && !write_back));
        assume (!write_back || write_ways == 0);
    end

    // The memories may hold anything to begin with.
    wire [4*WORD-1:0] memory_words = {words_3_words[places[3*PLACE +: PLACE]], words_2_words[places[2*PLACE +: PLACE]],
        words_1_words[places[1*PLACE +: PLACE]], words_0_words[places[0*PLACE +: PLACE]]};
    wire [4*ROW-1:0] memory_rows = {rows_3_words[places[3*PLACE +: PLACE]], rows_2_words[places[2*PLACE +: PLACE]],
        rows_1_words[places[1*PLACE +: PLACE]], rows_0_words[places[0*PLACE +: PLACE]]};
    logic begun = 0;
    always_ff @(posedge clock) begun <= 1;
    always_comb begin
        if (!begun) assume (memory_words == words && memory_rows == rows);
        help__memories: assert (memory_words == words && memory_rows == rows);
    end

    // A row, told the slow way.
    function automatic logic whole_word(input logic [WORD-1:0] word);
        logic [7:0] sum;
        sum = 0;
        for (int i = 0; i < WORD; i++) sum[i % 8] = sum[i % 8] ^ word[i];
        whole_word = sum == 0;
    endfunction
    function automatic logic whole_row(input logic [ROW-1:0] data);
        logic [3:0] sum;
        sum = 0;
        for (int i = 0; i < ROW; i++) sum[i % 4] = sum[i % 4] ^ data[i];
        whole_row = sum == 0;
    endfunction
    function automatic logic visible(input logic [ROW-1:0] data, input logic batch);
        visible = data[VALID] && !(data[PENDING] && !batch) && !(data[CLEARED] && batch);
    endfunction
    function automatic logic has(input logic [WORD-1:0] word, input logic [ROW-1:0] data, input logic [KEY-1:0] key);
        has = word[8 +: KEY] == key && whole_word(word) && whole_row(data) && data[VALID];
    endfunction

    // A lookup on its way: what was asked, what the chosen places held when the memories were read, and what came with the frame.
    logic [1:0] asked_1 = 0, asked_2 = 0, asked_3 = 0, asked_4 = 0, asked_5 = 0, asked_6 = 0;
    logic [2*KEY-1:0] keys_1, keys_2, keys_3, keys_4, keys_5, keys_6;
    logic [7:0] known_1, known_2, known_3, known_4, known_5, known_6; // the row number is the chosen place
    logic [4*WORD-1:0] words_2, words_3, words_4, words_5, words_6;
    logic [4*ROW-1:0] rows_2, rows_3, rows_4, rows_5, rows_6;
    logic [43:0] tick_4, tick_5, tick_6;
    logic committed_4, committed_5, committed_6;
    wire [4*PLACE-1:0] numbers_0 = {hash_0_3_result, hash_0_2_result, hash_0_1_result, hash_0_0_result};
    wire [4*PLACE-1:0] numbers_1 = {hash_1_3_result, hash_1_2_result, hash_1_1_result, hash_1_0_result};
    always_ff @(posedge clock) begin
        {asked_6, asked_5, asked_4, asked_3, asked_2, asked_1} <= {asked_5, asked_4, asked_3, asked_2, asked_1, look_up};
        {keys_6, keys_5, keys_4, keys_3, keys_2, keys_1} <= {keys_5, keys_4, keys_3, keys_2, keys_1, key_1, key_0};
        {known_6, known_5, known_4, known_3, known_2} <= {known_5, known_4, known_3, known_2, known_1};
        for (int w = 0; w < 4; w++) begin
            known_1[w] <= numbers_0[w*PLACE +: PLACE] == places[w*PLACE +: PLACE];
            known_1[4+w] <= numbers_1[w*PLACE +: PLACE] == places[w*PLACE +: PLACE];
        end
        {words_6, words_5, words_4, words_3, words_2} <= {words_5, words_4, words_3, words_2, words};
        {rows_6, rows_5, rows_4, rows_3, rows_2} <= {rows_5, rows_4, rows_3, rows_2, rows};
        {tick_6, tick_5, tick_4} <= {tick_5, tick_4, tick};
        {committed_6, committed_5, committed_4} <= {committed_5, committed_4, committed};
    end

    // What each way says when its comparator does what `way` proves of it: the comparators themselves are cut free here.
    wire [8*76-1:0] candidates = {compare_1_3_candidate, compare_1_2_candidate, compare_1_1_candidate, compare_1_0_candidate,
        compare_0_3_candidate, compare_0_2_candidate, compare_0_1_candidate, compare_0_0_candidate};
    logic [7:0] lives, lives_6, wanted, wanted_6;
    logic [8*HIT_BITS-1:0] contents, contents_6;
    logic ways_right, ways_right_6;
    always_comb begin
        ways_right = 1;
        ways_right_6 = 1;
        for (int i = 0; i < 8; i++) begin
            lives[i] = candidates[i*76 + Candidate__live__lsb];
            contents[i*HIT_BITS +: HIT_BITS] = candidates[i*76 + Candidate__row__lsb + HIT +: HIT_BITS];
            wanted[i] = has(words_5[i%4*WORD +: WORD], rows_5[i%4*ROW +: ROW], keys_5[i/4*KEY +: KEY])
                && visible(rows_5[i%4*ROW +: ROW], committed_5) && tick_5 < rows_5[i%4*ROW + UNTIL +: 44];
            wanted_6[i] = has(words_6[i%4*WORD +: WORD], rows_6[i%4*ROW +: ROW], keys_6[i/4*KEY +: KEY])
                && visible(rows_6[i%4*ROW +: ROW], committed_6) && tick_6 < rows_6[i%4*ROW + UNTIL +: 44];
            if (asked_5[i/4] && known_5[i] && (lives[i] != wanted[i]
                || contents[i*HIT_BITS +: HIT_BITS] != rows_5[i%4*ROW + HIT +: HIT_BITS])) ways_right = 0;
            if (asked_6[i/4] && known_6[i] && (lives_6[i] != wanted_6[i]
                || contents_6[i*HIT_BITS +: HIT_BITS] != rows_6[i%4*ROW + HIT +: HIT_BITS])) ways_right_6 = 0;
        end
        assume (ways_right);
        help__ways: assert (ways_right_6);
    end
    always_ff @(posedge clock) begin
        lives_6 <= lives;
        contents_6 <= contents;
    end

    // What each comparator is given, and when.
    wire [8*WORD-1:0] given_words = {words_3_read_data_1, words_2_read_data_1, words_1_read_data_1, words_0_read_data_1,
        words_3_read_data_0, words_2_read_data_0, words_1_read_data_0, words_0_read_data_0};
    wire [8*ROW-1:0] given_rows = {rows_3_read_data_1, rows_2_read_data_1, rows_1_read_data_1, rows_0_read_data_1,
        rows_3_read_data_0, rows_2_read_data_0, rows_1_read_data_0, rows_0_read_data_0};
    wire [8*PLACE-1:0] asked_rows = {row_1_3_q, row_1_2_q, row_1_1_q, row_1_0_q, row_0_3_q, row_0_2_q, row_0_1_q, row_0_0_q};
    wire [2*KEY-1:0] entered_keys = {entered_key_1_q, entered_key_0_q}, fetched_keys = {fetched_key_1_q, fetched_key_0_q};
    wire [2*KEY-1:0] given_keys = {compared_key_1_q, compared_key_0_q};
    logic numbers_right, memories_right, entered_right, fetched_right, keys_right;
    always_comb begin
        numbers_right = 1;
        memories_right = 1;
        entered_right = 1;
        fetched_right = 1;
        keys_right = 1;
        for (int i = 0; i < 8; i++) begin
            if (asked_1[i/4] && known_1[i] != (asked_rows[i*PLACE +: PLACE] == places[i%4*PLACE +: PLACE])) numbers_right = 0;
            if (asked_2[i/4] && known_2[i] && (given_words[i*WORD +: WORD] != words_2[i%4*WORD +: WORD]
                || given_rows[i*ROW +: ROW] != rows_2[i%4*ROW +: ROW])) memories_right = 0;
        end
        for (int p = 0; p < 2; p++) begin
            if (asked_1[p] && entered_keys[p*KEY +: KEY] != keys_1[p*KEY +: KEY]) entered_right = 0;
            if (asked_2[p] && fetched_keys[p*KEY +: KEY] != keys_2[p*KEY +: KEY]) fetched_right = 0;
            if (asked_3[p] && given_keys[p*KEY +: KEY] != keys_3[p*KEY +: KEY]) keys_right = 0;
        end
        help__stages: assert ({entered_q, fetching_q, comparing_q, judging_q, choosing_q} == {asked_1, asked_2, asked_3, asked_4, asked_5});
        given__memories: assert (memories_right);
        given__keys: assert (keys_right);
        given__stages: assert (fetch_0 == (asked_2[0] || read_fetching_q) && compares_0 == (asked_3[0] || read_comparing_q)
            && judge_0 == (asked_4[0] || read_judging_q));
        help__entered: assert (numbers_right && entered_right && fetched_right);
    end

    // What a lookup finds: 
    wire [2*26-1:0] founds = {found_1, found_0};
    logic [2*HIT_BITS-1:0] found_contents;
    logic [1:0] founds_valid;
    always_comb
        for (int p = 0; p < 2; p++) begin
            founds_valid[p] = founds[p*26 + Found__hit__lsb + Hit__valid__lsb];
            found_contents[p*HIT_BITS +: HIT_BITS] = {founds[p*26 + Found__hit__lsb + Hit__match_index__lsb +: Hit__match_index__bits],
                founds[p*26 + Found__hit__lsb + Hit__scope__lsb +: Hit__scope__bits],
                founds[p*26 + Found__hit__lsb + Hit__ring__lsb +: Hit__ring__bits]};
        end
    logic nothing_right, or_right, lowest_right;
    always_comb begin
        nothing_right = 1;
        or_right = 1;
        lowest_right = 1;
        for (int p = 0; p < 2; p++) begin
            if (!asked_6[p] && founds[p*26 +: 26] != 0) nothing_right = 0;
            if (asked_6[p] && founds_valid[p] != |lives_6[p*4 +: 4]) or_right = 0;
            for (int w = 0; w < 4; w++)
                if (asked_6[p] && lives_6[p*4 + w] && (lives_6[p*4 +: 4] & ((1 << w) - 1)) == 0
                    && found_contents[p*HIT_BITS +: HIT_BITS] != contents_6[(p*4 + w)*HIT_BITS +: HIT_BITS]) lowest_right = 0;
        end
        ways__nothing: assert (nothing_right);
        ways__or: assert (or_right);
        ways__lowest: assert (lowest_right);
    end
