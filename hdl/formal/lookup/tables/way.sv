    // What is fetched, compared and judged in three clocks one after the other.
    localparam VALID = RowData__valid__lsb;
    localparam PENDING = RowData__pending__lsb;
    localparam CLEARED = RowData__pending_clear__lsb;
    localparam UNTIL = RowData__not_after__lsb;
    function automatic logic whole_word(input logic [$bits(word)-1:0] data);
        logic [7:0] sum;
        sum = 0;
        for (int i = 0; i < $bits(word); i++) sum[i % 8] = sum[i % 8] ^ data[i];
        whole_word = sum == 0;
    endfunction
    function automatic logic whole_row(input logic [71:0] data);
        logic [3:0] sum;
        sum = 0;
        for (int i = 0; i < 72; i++) sum[i % 4] = sum[i % 4] ^ data[i];
        whole_row = sum == 0;
    endfunction
    logic [$bits(word)-1:0] word_1;
    logic [71:0] row_1, row_2, row_3;
    logic there_1 = 0, there_2 = 0, there_3 = 0;
    logic equal_2, whole_2, visible_2, live_2, equal_3, whole_3, visible_3, live_3;
    always_ff @(posedge clock) begin
        there_1 <= fetch;
        there_2 <= there_1 && compare;
        there_3 <= there_2 && judge;
        word_1 <= word;
        row_1 <= row;
        row_2 <= row_1;
        row_3 <= row_2;
        equal_2 <= word_1[8 +: $bits(key)] == key;
        whole_2 <= whole_word(word_1) && whole_row(row_1);
        visible_2 <= row_1[VALID] && !(row_1[PENDING] && !committed) && !(row_1[CLEARED] && committed);
        live_2 <= tick < row_1[UNTIL +: 44];
        {equal_3, whole_3, visible_3, live_3} <= {equal_2, whole_2, visible_2, live_2};
    end
    always_comb begin
        if (there_3) begin
            hit__live: assert (candidate__live == (equal_3 && whole_3 && visible_3 && live_3));
            hit__row: assert (candidate__row == row_3);
            expired__only: assert (candidate__expired == (equal_3 && whole_3 && visible_3 && !live_3));
            damaged__told: assert (candidate__damaged == !whole_3);
        end
        if (there_1) help__word: assert (word_register_q == word_1 && row_register_q == row_1);
        if (there_2) begin
            help__compared: assert (equal_q == equal_2 && visible_q == visible_2 && live_q == live_2 && compared_row_q == row_2);
            help__parity: assert ((key_syndrome_q == 0 && row_syndrome_q == 0) == whole_2);
        end

        found: cover (there_3 && candidate__live && candidate__row__match_index == 17'h15555 && word_1 != 0);
        batch_hides: cover (there_3 && equal_3 && whole_3 && live_3 && row_3[VALID] && !candidate__live && !candidate__expired);
        almost: cover (there_3 && equal_3 && visible_3 && live_3 && !candidate__live && $onehot(key_syndrome_3));
    end
    logic [7:0] key_syndrome_3;
    always_ff @(posedge clock) key_syndrome_3 <= key_syndrome_q;
